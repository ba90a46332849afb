"""What people call the columns of the canonical tables, in English, Chinese and German."""

from __future__ import annotations

import re

SYNONYMS: dict[str, tuple[str, ...]] = {
    "record_id": (
        "record_id", "customer_id", "customerid", "customer", "customer_no", "customer_number", "cust_id", "client_id",
        "user_id", "userid", "uid", "user", "member_id", "member", "account_id", "buyer_id", "person_id",
        "客户编号", "客户id", "客户号", "用户id", "用户编号", "会员编号", "会员号", "会员id", "顾客编号", "买家id",
        "kunde", "kunden_id", "kundennummer", "kundennr", "kunden_nr", "mitgliedsnummer", "id",
    ),
    "ts": (
        "ts", "timestamp", "date", "datetime", "time", "order_date", "orderdate", "invoice_date", "invoicedate",
        "transaction_date", "purchase_date", "purchased_at", "created_at", "created", "order_time", "event_time",
        "placed_at", "sold_at", "日期", "时间", "下单时间", "订单时间", "订单日期", "交易时间", "交易日期", "购买日期",
        "付款时间", "datum", "bestelldatum", "rechnungsdatum", "kaufdatum", "zeitpunkt", "uhrzeit",
    ),
    "amount": (
        "amount", "total", "order_total", "line_total", "revenue", "sales", "turnover", "value", "order_value", "spend",
        "payment", "total_amount", "net_amount", "sum", "dollar_value", "金额", "总金额", "订单金额", "交易金额",
        "消费金额", "支付金额", "实付金额", "betrag", "umsatz", "summe", "gesamtbetrag", "rechnungsbetrag",
    ),
    "order_id": (
        "order_id", "orderid", "order", "order_no", "order_number", "invoice", "invoice_id", "invoice_no", "invoiceno",
        "receipt", "receipt_id", "transaction_id", "basket_id", "订单号", "订单编号", "订单id", "发票号", "交易号",
        "bestellnummer", "bestell_nr", "auftragsnummer", "rechnungsnummer", "rechnung", "bestellung", "belegnummer",
    ),
    "product_id": (
        "product_id", "productid", "product", "sku", "item", "item_id", "article", "article_id", "stock_code",
        "stockcode", "asin", "商品编号", "商品id", "产品编号", "产品id", "货号", "商品编码", "artikel", "artikelnummer",
        "produkt", "produktnummer",
    ),
    "category": ("category", "department", "product_category", "类别", "品类", "商品类别", "kategorie", "warengruppe"),
    "quantity": (
        "quantity", "qty", "pieces", "units", "count", "number_of_items", "number_of_cds", "数量", "件数", "购买数量",
        "menge", "anzahl", "stueck", "stück",
    ),
    "unit_price": (
        "unit_price", "unitprice", "price", "price_each", "单价", "价格", "preis", "einzelpreis", "stückpreis",
    ),
    "discount": ("discount", "rebate", "折扣", "优惠金额", "rabatt", "nachlass"),
    "currency": ("currency", "currency_code", "币种", "货币", "währung", "waehrung"),
    "channel": ("channel", "platform", "渠道", "平台", "kanal", "vertriebskanal"),
    "ingested_at": ("ingested_at", "loaded_at", "inserted_at", "入库时间", "geladen_am"),
    "name": ("name", "full_name", "fullname", "customer_name", "姓名", "客户姓名", "名字", "vollname"),
    "given_name": ("given_name", "first_name", "firstname", "forename", "名", "vorname"),
    "family_name": ("family_name", "last_name", "lastname", "surname", "姓", "nachname", "familienname"),
    "email": (
        "email", "e_mail", "mail", "email_address", "邮箱", "电子邮箱", "电子邮件", "emailadresse", "e_mail_adresse",
    ),
    "phone": (
        "phone", "mobile", "telephone", "tel", "phone_number", "mobile_number", "cell", "手机", "手机号", "手机号码",
        "电话", "联系电话", "telefon", "handy", "telefonnummer", "mobilnummer",
    ),
    "national_id": (
        "national_id", "ssn", "id_number", "soc_sec_id", "身份证", "身份证号", "ausweisnummer", "steuer_id",
    ),
    "birth_date": ("birth_date", "birthday", "date_of_birth", "dob", "生日", "出生日期", "geburtsdatum", "geburtstag"),
    "gender": ("gender", "sex", "性别", "geschlecht"),
    "street": (
        "street", "address", "street_address", "address_1", "地址", "街道", "详细地址", "straße", "strasse", "adresse",
    ),
    "district": ("district", "区", "区县", "bezirk", "ortsteil"),
    "city": ("city", "town", "suburb", "城市", "市", "stadt", "ort"),
    "state": ("state", "province", "region", "省", "省份", "bundesland"),
    "postcode": ("postcode", "zip", "zip_code", "zipcode", "postal_code", "邮编", "邮政编码", "plz", "postleitzahl"),
    "country": ("country", "nation", "国家", "land"),
    "registered_at": (
        "registered_at", "registered", "signup_date", "sign_up", "member_since", "dt_customer", "registration_date",
        "joined", "注册时间", "注册日期", "入会日期", "registriert", "anmeldedatum", "kunde_seit",
    ),
    "consent": ("consent", "marketing_ok", "opt_in", "同意营销", "einwilligung"),
    "kind": ("kind", "event", "event_type", "action", "type", "事件", "行为", "事件类型", "ereignis", "aktion"),
    "session_id": ("session_id", "session", "visit_id", "会话", "会话id", "sitzung"),
    "duration": ("duration", "seconds", "dwell_time", "停留时长", "时长", "dauer"),
    "score": ("score", "rating", "stars", "nps", "评分", "星级", "满意度", "bewertung", "note"),
    "text": ("text", "comment", "review", "评论", "评价内容", "kommentar"),
    "campaign_id": ("campaign_id", "campaign", "活动", "活动编号", "营销活动", "kampagne"),
    "treated": ("treated", "treatment", "contacted", "是否触达", "实验组", "behandelt", "kontaktiert"),
    "responded": ("responded", "response", "converted", "是否响应", "reagiert"),
    "revenue": ("revenue", "收入", "erlös"),
    "cost": ("cost", "成本", "kosten"),
    "started_at": ("started_at", "start_date", "begin", "begun", "开始时间", "开始日期", "beginn", "startdatum"),
    "ended_at": ("ended_at", "end_date", "ended", "cancelled_on", "结束时间", "结束日期", "ende", "enddatum"),
    "plan": ("plan", "tariff", "contract", "套餐", "tarif", "vertrag"),
    "fee": ("fee", "monthly_fee", "monthly_charges", "monthlycharges", "月费", "gebühr", "monatspreis"),
    "label": ("label", "churn", "churned", "target", "是否流失", "标签", "gekündigt", "ziel", "response"),
    "outcome": ("outcome", "visit", "结果", "ergebnis"),
}  # fmt: skip


STEMS: dict[str, tuple[str, ...]] = {
    "ts": (
        "date", "day", "time", "when", "bought", "purchas", "ordered", "sold", "placed", "created", "dat", "tag",
        "zeit", "gekauft", "日期", "时间",
    ),
    "amount": (
        "amount", "total", "paid", "pay", "sum", "spent", "spend", "revenue", "sale", "value", "turnover", "cost",
        "betrag", "umsatz", "summe", "gesamt", "bezahlt", "wert", "金额",
    ),
    "unit_price": ("price", "preis", "单价", "价格"),
    "quantity": ("qty", "quantit", "piece", "unit", "menge", "anzahl", "数量"),
    "record_id": (
        "client", "customer", "cust", "user", "member", "buyer", "shopper", "patron", "guest", "account", "kund",
        "mitglied", "käufer", "客户", "用户", "会员", "顾客", "买家",
    ),
    "order_id": (
        "order", "invoice", "receipt", "transaction", "basket", "ticket", "bestell", "auftrag", "rechnung", "beleg",
        "bon", "订单", "发票",
    ),
    "product_id": ("product", "item", "sku", "article", "artikel", "produkt", "stock", "商品", "产品"),
    "channel": ("outlet", "store", "shop", "branch", "channel", "filiale", "kanal", "门店", "渠道"),
}  # fmt: skip
"""Beginnings of words by which columns are told whose names are in no list."""
_NUMBERING = {"", "id", "ids", "no", "nr", "num", "number", "nummer", "code", "key", "ref", "编号", "号", "id号"}
_IDS = ("record_id", "order_id", "product_id")


def folded(name: str) -> str:
    """A column's name without case, blanks, marks, and what stands in brackets, such as a unit.

    >>> folded("Customer ID"), folded("Kunden-Nr."), folded("Betrag (EUR)")
    ('customerid', 'kundennr', 'betrag')
    """
    bare = re.sub(r"\s*[\[(（【].*?[\])）】]", "", name.casefold())
    return re.sub(r"[\W_]+", "", bare) or re.sub(r"[\W_]+", "", name.casefold())


def likeness(name: str) -> list[str]:
    """The canonical columns that a word of a name hints at, where the whole name is in no list.

    A word hints at an id only where the name says nothing else than that and that it is a number.

    >>> likeness("Client No."), likeness("When Bought"), likeness("Total Paid $"), likeness("customer mood")
    (['record_id'], ['ts'], ['amount'], [])
    """
    bare = re.sub(r"[\[(（【].*?[\])）】]", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    words = [word for word in re.split(r"[\W_\d]+", bare.casefold()) if word]
    found = []
    for canonical, stems in STEMS.items():
        hints = [word for word in words if word.startswith(stems)]
        rest = {word for word in words if word not in hints} - _NUMBERING
        tails = {next(w.removeprefix(s) for s in stems if w.startswith(s)) for w in hints}
        if hints and (canonical not in _IDS or not (rest or {t for t in tails if len(t) > 2} - _NUMBERING)):
            found.append(canonical)
    return found


def meanings(name: str) -> list[tuple[str, int]]:
    """The canonical columns that a name can stand for, with how far down their lists it is.

    >>> meanings("customer_id")
    [('record_id', 1)]
    """
    wanted = folded(name)
    found = []
    for canonical, words in SYNONYMS.items():
        places = [i for i, word in enumerate(words) if folded(word) == wanted]
        if places:
            found.append((canonical, places[0]))
    return found
