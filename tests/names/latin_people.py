"""Made-up people 架空 with names in Latin letters, and the kana of their accounts."""

PEOPLE = {
    "chinese": """
WANG XIAOMING=ワン シャオミン
LI JIAYI=リ ジャーイー
ZHANG WEI=チャン ウェイ
LIU YANG=リュウ ヤン
CHEN JIANHUA=チン ケンカ
YANG LIHUA=ヤン リーホア
ZHAO XINYU=チョウ シンユ
HUANG ZHIQIANG=ホアン ジーチャン
ZHOU MEILING=シュウ メイリン
WU HAORAN=ゴ ハオラン
XU JINGJING=ジョ ジンジン
SUN GUOQIANG=ソン グオチャン
HU XUEMEI=フー シュエメイ
ZHU BOWEN=ジュ ボーウェン
GAO SHUFEN=ガオ シューフェン
LIN YUXUAN=リン ユーシュアン
HE CHUNYAN=カ チュンイェン
GUO ZIHAN=グオ ズーハン
MA LONGFEI=マー ロンフェイ
LUO QINGQING=ルオ チンチン
LIANG WENJIE=リャン ウェンジエ
SONG DANDAN=ソン ダンダン
ZHENG HONGYAN=テイ ホンイェン
XIE TINGTING=シャ ティンティン
HAN RUIXIN=ハン ルイシン
TANG YIFAN=タン イーファン
FENG JUNJIE=フォン ジュンジエ
YU HAIYAN=ユ ハイイェン
DONG ZHENYU=ドン ジェンユー
XIAO YUNFEI=シャオ ユンフェイ
CAO LEI=ソウ レイ
DENG XIUYING=デン シウイン
SHEN MENGQI=シン モンチー
JIANG PENG=ジャン ポン
CUI YONGHAO=サイ ヨンハオ
""",
    "korean": """
KIM MINJUN=キム ミンジュン
LEE SEOYEON=イ ソヨン
PARK JIHOON=パク ジフン
CHOI EUNJI=チェ ウンジ
JUNG HYUNWOO=チョン ヒョヌ
KANG SOOJIN=カン スジン
CHO YOUNGHO=チョ ヨンホ
YOON HYEJIN=ユン ヘジン
JANG DONGHYUK=チャン ドンヒョク
LIM SEUNGMIN=イム スンミン
HAN JIWON=ハン ジウォン
OH SEHUN=オ セフン
SEO MYEONGSOO=ソ ミョンス
SHIN YUNA=シン ユナ
KWON TAEYANG=クォン テヤン
HWANG INYOUNG=ファン イニョン
AHN JAEHYUN=アン ジェヒョン
SONG MINAH=ソン ミナ
RYU KYUNGSOO=リュ ギョンス
HONG GILSU=ホン ギルス
YI SANGWOO=イ サンウ
KO EUNBYUL=コ ウンビョル
MOON CHAEWON=ムン チェウォン
BAE SUJI=ペ スジ
BAEK JONGWON=ペク ジョンウォン
NAM JOOHYUK=ナム ジュヒョク
NOH HYUNJUNG=ノ ヒョンジョン
HEO JUNHO=ホ ジュノ
SIM EUNKYUNG=シム ウンギョン
KIM YEONGHUI=キム ヨンヒ
PARK CHEOLSU=パク チョルス
LEE KWANGSIK=イ グァンシク
CHOI OKSUN=チェ オクスン
JEON HAEUN=ジョン ハウン
KIM BYUNGHUN=キム ビョンフン
""",
    "vietnamese": """
NGUYEN VAN AN=グエン バン アン
TRAN THI HOA=チャン ティ ホア
LE MINH TUAN=レ ミン トゥアン
PHAM THI THU HA=ファム ティ トゥ ハ
HOANG DUC LONG=ホアン ドゥック ロン
HUYNH NGOC ANH=フイン ゴック アイン
PHAN VAN DUNG=ファン ヴァン ズン
VU THI LAN=ヴ ティ ラン
VO HOANG NAM=ボ ホアン ナム
DANG QUOC BAO=ダン クオック バオ
BUI THI NGA=ブイ ティ ガー
DO XUAN TRUONG=ド スアン チュオン
HO THI MAI=ホー ティ マイ
NGO QUANG HUY=ゴ クアン フイ
DUONG THI KIM NGAN=ズオン ティ キム ガン
LY THANH SON=リー タイン ソン
DINH VAN HAI=ディン ヴァン ハイ
TRINH THI LINH=チン ティ リン
LUONG VAN THANG=ルオン バン タン
CAO THI BICH NGOC=カオ ティ ビック ゴック
MAI VAN PHUC=マイ ヴァン フック
NGUYEN THI PHUONG THAO=グエン ティ フオン タオ
TRAN DINH KHOI=チャン ディン コイ
LE THI YEN NHI=レ ティ イエン ニー
PHAM GIA HUNG=ファム ザ フン
NGUYEN TIEN DAT=グエン ティエン ダット
TRUONG THI DIEU=チュオン ティ ジエウ
TA VAN KHANH=タ ヴァン カイン
DOAN THI THUY=ドアン ティ トゥイ
NGUYEN HUU TRI=グエン ヒュー チー
""",
    "others": """
SHRESTHA SUNITA=シュレスタ スニタ
GURUNG BISHNU PRASAD=グルン ビシュヌ プラサド
TAMANG PASANG=タマン パサン
ADHIKARI RAM KUMAR=アディカリ ラム クマル
RAI SARMILA=ライ サルミラ
KHADKA DIPENDRA=カドカ ディペンドラ
DELA CRUZ MARIA THERESA=デラクルス マリア テレサ
SANTOS JENNY ROSE=サントス ジェニー ローズ
REYES MARK ANTHONY=レイエス マーク アンソニー
GARCIA ANA LIZA=ガルシア アナリサ
BAUTISTA RODRIGO=バウティスタ ロドリゴ
VILLANUEVA MARICEL=ビリャヌエバ マリセル
SILVA JOAO PAULO=シルバ ジョアン パウロ
OLIVEIRA LUCAS HENRIQUE=オリベイラ ルーカス エンリケ
SOUZA FERNANDA TANAKA=ソウザ フェルナンダ タナカ
SATO CARLOS EDUARDO=サトウ カルロス エドゥアルド
NAKAMURA FABIO=ナカムラ ファビオ
PEREIRA JULIANA=ペレイラ ジュリアナ
SMITH JOHN PAUL=スミス ジョン ポール
JOHNSON EMILY=ジョンソン エミリー
MUELLER HANS=ミュラー ハンス
O'BRIEN KEVIN=オブライエン ケビン
DUBOIS MARIE-CLAIRE=デュボワ マリークレール
ROSSI MARCO=ロッシ マルコ
KOWALSKI PIOTR=コワルスキ ピョートル
IVANOV SERGEI=イワノフ セルゲイ
AHMED MOHAMMAD=アハメド モハマド
RAHMAN ABDUL=ラーマン アブドゥル
SUSANTO BUDI=スサント ブディ
WIJAYA DEWI LESTARI=ウィジャヤ デウィ レスタリ
PERERA NIMAL=ペレラ ニマル
AUNG KYAW ZIN=アウン チョー ジン
SINGH HARPREET=シン ハルプリート
BATBAYAR TUYA=バトバヤル トヤ
SOMSAK CHAROEN=ソムサック チャロエン
""",
}


def people(group: str) -> list[tuple[str, str]]:
    """Latin letters and kana of everybody in a group."""
    return [(latin, kana) for latin, _, kana in (line.partition("=") for line in PEOPLE[group].split("\n")) if latin]


def families(group: str) -> list[tuple[str, str]]:
    """Everybody with the accounts of people who have the same surname and the given name of another in the group."""
    found, halves = people(group), [kana.split(" ", 1) for _, kana in people(group)]
    return [
        (latin, f"{mine[0]} {theirs[1]}")
        for (latin, _), mine in zip(found, halves, strict=True)
        for theirs in halves
        if theirs[1] != mine[1]
    ]
