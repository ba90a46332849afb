"""The words of which simulated people are made: names in Han script, pinyin and Latin script, cities, streets.

Everything here is a short list written for this purpose: common surnames, common characters, well-known cities. No
entry stands for an actual person.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class City:
    """A city as addresses name it; Chinese ones also in pinyin. ``weight`` is its share of the customers."""

    name: str
    latin: str
    state: str
    state_latin: str
    country: str
    districts: tuple[tuple[str, str], ...]
    postcode: str
    weight: float


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """``a:b c:d`` as pairs.

    >>> _pairs("王:wang 李:li")
    (('王', 'wang'), ('李', 'li'))
    """
    return tuple((word.split(":")[0], word.split(":")[1]) for word in text.split())


def _zh(line: str) -> City:
    """``city:pinyin|province:pinyin|postcode prefix|weight|district:pinyin ...``."""
    city, state, postcode, weight, districts = line.split("|")
    (name, latin), (state_name, state_latin) = _pairs(f"{city} {state}")
    return City(name, latin, state_name, state_latin, "CN", _pairs(districts), postcode, float(weight))


def _west(line: str) -> City:
    """``city|state|country|postcode prefix|weight``."""
    name, state, country, postcode, weight = line.split("|")
    return City(name, name, state, state, country, (("", ""),), postcode, float(weight))


# Han surname and pinyin, the most frequent first.
SURNAMES_ZH = _pairs(
    "王:wang 李:li 张:zhang 刘:liu 陈:chen 杨:yang 黄:huang 赵:zhao 吴:wu 周:zhou 徐:xu 孙:sun 马:ma 朱:zhu "
    "胡:hu 郭:guo 何:he 林:lin 罗:luo 郑:zheng 梁:liang 谢:xie 宋:song 唐:tang 许:xu 韩:han 邓:deng 冯:feng "
    "曹:cao 彭:peng 曾:zeng 肖:xiao 田:tian 董:dong 潘:pan 袁:yuan 蔡:cai 蒋:jiang 余:yu 于:yu 杜:du 叶:ye "
    "程:cheng 魏:wei 苏:su 吕:lü 丁:ding 任:ren 卢:lu 姚:yao 沈:shen 钟:zhong 姜:jiang 崔:cui 谭:tan 陆:lu "
    "范:fan 汪:wang 廖:liao 石:shi 金:jin 韦:wei 贾:jia 夏:xia 付:fu 方:fang 邹:zou 熊:xiong 白:bai 孟:meng "
    "秦:qin 邱:qiu 侯:hou 江:jiang 尹:yin 薛:xue 闫:yan 段:duan 雷:lei 龙:long 黎:li 史:shi 陶:tao 贺:he "
    "欧阳:ouyang 司马:sima 诸葛:zhuge 上官:shangguan"
)
# Characters of given names with their pinyin: women's, men's, and either's.
GIVEN_ZH_F = _pairs(
    "芳:fang 娜:na 敏:min 静:jing 丽:li 艳:yan 娟:juan 霞:xia 秀:xiu 英:ying 玲:ling 梅:mei 红:hong 燕:yan "
    "婷:ting 雪:xue 倩:qian 莹:ying 琳:lin 颖:ying 洁:jie 慧:hui 佳:jia 欣:xin 怡:yi 悦:yue 萱:xuan 涵:han "
    "梦:meng 瑶:yao 诗:shi 雅:ya 蕾:lei 薇:wei 菲:fei 珊:shan 璐:lu 妍:yan 婧:jing 晴:qing"
)
GIVEN_ZH_M = _pairs(
    "伟:wei 强:qiang 磊:lei 军:jun 勇:yong 杰:jie 涛:tao 超:chao 刚:gang 斌:bin 鹏:peng 辉:hui 浩:hao 波:bo "
    "峰:feng 龙:long 飞:fei 健:jian 俊:jun 凯:kai 博:bo 旭:xu 志:zhi 国:guo 建:jian 东:dong 海:hai 亮:liang "
    "宏:hong 毅:yi 鑫:xin 宇:yu 轩:xuan 豪:hao 泽:ze 睿:rui 航:hang 翔:xiang 威:wei 昊:hao"
)
GIVEN_ZH_U = _pairs(
    "明:ming 华:hua 平:ping 文:wen 晓:xiao 小:xiao 林:lin 玉:yu 春:chun 云:yun 子:zi 嘉:jia 家:jia 思:si "
    "一:yi 天:tian 雨:yu 晨:chen 阳:yang 安:an 宁:ning 乐:le 新:xin 瑞:rui 永:yong 金:jin 成:cheng 清:qing"
)
FAMILY_WEST = _words(
    "Smith Jones Williams Brown Taylor Davies Wilson Evans Thomas Roberts Johnson Walker Wright Robinson "
    "Thompson White Hughes Edwards Green Hall Wood Harris Lewis Martin Jackson Clarke Clark Turner Hill Scott "
    "Cooper Morris Ward Moore King Watson Baker Harrison Morgan Patel Young Allen Mitchell Anderson Phillips "
    "Lee Bell Parker Davis Miller Garcia Rodriguez Martinez Lopez Gonzalez Nguyen O'Brien O'Connor McDonald "
    "Campbell Stewart Murphy Kelly Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Hoffmann Schäfer "
    "Köhler Dubois Lefèvre Moreau Laurent Rossi Ferrari Bianchi Novák Kowalski Johansson Nielsen Hansen "
    "Jørgensen Smith-Jones Van-Dijk De-Vries"
)
GIVEN_WEST_F = _words(
    "Olivia Emma Sophie Elizabeth Margaret Sarah Jennifer Jessica Emily Charlotte Catherine Victoria Anna Laura "
    "Julia Hannah Rebecca Susan Patricia Linda Barbara Alice Grace Zoë Chloé Isabel Maria Claire Helen Martha "
    "Samantha Deborah Christine Alexandra Amelia Lucy Eleanor Ingrid Renée Katarzyna"
)
GIVEN_WEST_M = _words(
    "James Robert John Michael William David Richard Joseph Thomas Charles Christopher Daniel Matthew Anthony "
    "Andrew Joshua Edward Samuel Benjamin Alexander Nicholas Jonathan Timothy Peter Patrick Henry George Oliver "
    "Jack Lukas Jürgen François René Björn Søren Marco Paolo Tomasz Stephen Philip"
)
NICKNAMES = dict(
    _pairs(
        "Elizabeth:Liz Margaret:Maggie Jennifer:Jen Jessica:Jess Catherine:Kate Victoria:Vicky Rebecca:Becky "
        "Susan:Sue Patricia:Pat Barbara:Barb Samantha:Sam Deborah:Debbie Christine:Chris Alexandra:Alex "
        "Eleanor:Nell Robert:Bob James:Jim John:Jack Michael:Mike William:Bill David:Dave Richard:Rick Joseph:Joe "
        "Thomas:Tom Charles:Charlie Christopher:Chris Daniel:Dan Matthew:Matt Anthony:Tony Andrew:Andy "
        "Joshua:Josh Edward:Ed Samuel:Sam Benjamin:Ben Alexander:Alex Nicholas:Nick Jonathan:Jon Timothy:Tim "
        "Peter:Pete Patrick:Pat Stephen:Steve Philip:Phil"
    )
)

CITIES_ZH = tuple(
    _zh(line)
    for line in (
        "北京市:Beijing|北京市:Beijing|100|10|朝阳区:Chaoyang 海淀区:Haidian 西城区:Xicheng 丰台区:Fengtai",
        "上海市:Shanghai|上海市:Shanghai|200|12|浦东新区:Pudong 徐汇区:Xuhui 静安区:Jing'an 闵行区:Minhang",
        "广州市:Guangzhou|广东省:Guangdong|510|8|天河区:Tianhe 越秀区:Yuexiu 海珠区:Haizhu 白云区:Baiyun",
        "深圳市:Shenzhen|广东省:Guangdong|518|8|南山区:Nanshan 福田区:Futian 罗湖区:Luohu 宝安区:Bao'an",
        "杭州市:Hangzhou|浙江省:Zhejiang|310|6|西湖区:Xihu 上城区:Shangcheng 滨江区:Binjiang 余杭区:Yuhang",
        "南京市:Nanjing|江苏省:Jiangsu|210|5|玄武区:Xuanwu 秦淮区:Qinhuai 鼓楼区:Gulou 建邺区:Jianye",
        "苏州市:Suzhou|江苏省:Jiangsu|215|4|姑苏区:Gusu 吴中区:Wuzhong 虎丘区:Huqiu 吴江区:Wujiang",
        "成都市:Chengdu|四川省:Sichuan|610|6|锦江区:Jinjiang 青羊区:Qingyang 武侯区:Wuhou 成华区:Chenghua",
        "重庆市:Chongqing|重庆市:Chongqing|400|5|渝中区:Yuzhong 江北区:Jiangbei 南岸区:Nan'an 渝北区:Yubei",
        "武汉市:Wuhan|湖北省:Hubei|430|5|武昌区:Wuchang 江汉区:Jianghan 洪山区:Hongshan 汉阳区:Hanyang",
        "西安市:Xi'an|陕西省:Shaanxi|710|4|雁塔区:Yanta 碑林区:Beilin 未央区:Weiyang 莲湖区:Lianhu",
        "天津市:Tianjin|天津市:Tianjin|300|4|和平区:Heping 南开区:Nankai 河西区:Hexi 河北区:Hebei",
        "长沙市:Changsha|湖南省:Hunan|410|3|岳麓区:Yuelu 芙蓉区:Furong 天心区:Tianxin 雨花区:Yuhua",
        "郑州市:Zhengzhou|河南省:Henan|450|3|金水区:Jinshui 二七区:Erqi 中原区:Zhongyuan 惠济区:Huiji",
        "青岛市:Qingdao|山东省:Shandong|266|3|市南区:Shinan 市北区:Shibei 崂山区:Laoshan 李沧区:Licang",
        "济南市:Jinan|山东省:Shandong|250|2|历下区:Lixia 市中区:Shizhong 槐荫区:Huaiyin 天桥区:Tianqiao",
        "沈阳市:Shenyang|辽宁省:Liaoning|110|2|和平区:Heping 沈河区:Shenhe 皇姑区:Huanggu 铁西区:Tiexi",
        "大连市:Dalian|辽宁省:Liaoning|116|2|中山区:Zhongshan 西岗区:Xigang 沙河口区:Shahekou",
        "厦门市:Xiamen|福建省:Fujian|361|2|思明区:Siming 湖里区:Huli 集美区:Jimei 海沧区:Haicang",
        "昆明市:Kunming|云南省:Yunnan|650|2|五华区:Wuhua 盘龙区:Panlong 官渡区:Guandu 西山区:Xishan",
    )
)
CITIES_WEST = tuple(
    _west(line)
    for line in (
        "London|Greater London|GB|SW|8",
        "Manchester|Greater Manchester|GB|M|4",
        "Birmingham|West Midlands|GB|B|4",
        "Edinburgh|Scotland|GB|EH|2",
        "Bristol|Avon|GB|BS|2",
        "New York|NY|US|100|6",
        "San Francisco|CA|US|941|4",
        "Seattle|WA|US|981|3",
        "Chicago|IL|US|606|3",
        "Austin|TX|US|787|2",
        "Berlin|Berlin|DE|10|3",
        "München|Bayern|DE|80|2",
        "Köln|Nordrhein-Westfalen|DE|50|2",
        "Hamburg|Hamburg|DE|20|2",
    )
)
CITIES = CITIES_ZH + CITIES_WEST

STREETS_ZH = _pairs(
    "人民路:Renmin 中山路:Zhongshan 解放路:Jiefang 建设路:Jianshe 和平路:Heping 新华路:Xinhua 文化路:Wenhua "
    "胜利路:Shengli 长江路:Changjiang 黄河路:Huanghe 学院路:Xueyuan 科技路:Keji 滨河路:Binhe 花园路:Huayuan "
    "幸福路:Xingfu 光明路:Guangming 友谊路:Youyi 团结路:Tuanjie 迎宾路:Yingbin 湖滨路:Hubin 朝阳路:Chaoyang "
    "北京路:Beijing 南京路:Nanjing 延安路:Yan'an 世纪大道:Shiji"
)
STREETS_WEST = {
    "GB": ("High Street", "Station Road", "Church Lane", "Victoria Road", "Park Avenue", "Mill Lane", "Queens Road"),
    "US": ("Main Street", "Oak Street", "Maple Avenue", "Washington Street", "Lake Drive", "2nd Avenue", "Elm Street"),
    "DE": ("Hauptstraße", "Bahnhofstraße", "Gartenstraße", "Schulstraße", "Goethestraße", "Lindenweg", "Bergstraße"),
}

# Reserved names (RFC 2606): no address written by the simulator can reach anybody.
DOMAINS_ZH = ("qq.example", "163.example", "126.example", "sina.example", "mail.cn.example")
DOMAINS_WEST = ("example.com", "example.org", "mail.example.com", "post.example.net")
