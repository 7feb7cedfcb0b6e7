//! The words that are listened to, in Japanese and English.

use super::Subject;

/// A feeling that shifts the colours and the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mood {
    Warm,
    Calm,
    Bold,
    Luxury,
    Fresh,
    Dark,
    Playful,
}

/// What the words of a brief are about; words are parted by spaces, and earlier rows win a tie.
pub(crate) const SUBJECTS: &[(Subject, &str)] = &[
    (
        Subject::Coffee,
        "coffee espresso latte cafe barista roast roaster cocoa 珈琲 コーヒー カフェ \
         焙煎 エスプレッソ ラテ 豆",
    ),
    (Subject::Tea, "tea matcha sencha 抹茶 紅茶 お茶 煎茶 緑茶 日本茶"),
    (Subject::Spring, "spring sakura blossom cherry easter 春 桜 花見 新生活 入学 さくら"),
    (Subject::Summer, "summer sun sunshine tropical resort 夏 ひまわり トロピカル リゾート 太陽"),
    (Subject::Autumn, "autumn fall harvest maple 秋 紅葉 収穫 実り"),
    (Subject::Winter, "winter snow christmas ski ice holiday 冬 雪 クリスマス 年末 スキー"),
    (
        Subject::Music,
        "music concert festival jazz sound song album audio radio podcast 音楽 ライブ \
         コンサート フェス ジャズ サウンド 演奏 楽曲",
    ),
    (
        Subject::Beauty,
        "beauty cosmetic skincare skin perfume fragrance serum makeup spa \
         fashion jewelry 美容 化粧 コスメ スキンケア 香水 美しさ 肌 ファッション 美容液",
    ),
    (
        Subject::Food,
        "food restaurant recipe kitchen bakery bread sushi ramen fruit dinner chef \
         sweet dessert chocolate beer wine sake 料理 食 レストラン パン 寿司 ラーメン \
         果物 スイーツ 弁当 ごはん 美味 おいしい 和食 日本酒",
    ),
    (
        Subject::Sea,
        "sea ocean beach surf wave coast island marine sail water 海 波 浜 島 海岸 \
         サーフ マリン 水",
    ),
    (
        Subject::Mountain,
        "mountain hike hiking trek alpine peak summit camp camping outdoor fuji \
         travel journey 山 登山 高原 キャンプ 富士 アウトドア 旅 温泉",
    ),
    (
        Subject::City,
        "city urban tokyo osaka street skyline downtown architecture building \
         apartment 都市 都会 東京 大阪 街 ビル 建築 マンション 駅",
    ),
    (Subject::Night, "night midnight star moon evening neon 夜 星 月 真夜中 ネオン 深夜"),
    (
        Subject::Tech,
        "tech technology ai software data cloud app robot digital startup saas \
         platform cyber device テクノロジー 技術 デジタル データ クラウド アプリ \
         ロボット 人工知能 生成ai 開発",
    ),
    (
        Subject::Business,
        "business finance bank consulting report kpi office sales b2b \
         insurance career ビジネス 金融 銀行 経営 会議 営業 業績 採用 保険",
    ),
    (
        Subject::Tradition,
        "japanese kyoto kimono shrine temple zen traditional washi 和風 京都 着物 神社 \
         寺 伝統 和紙 老舗 和菓子 正月 祭",
    ),
    (
        Subject::Sport,
        "sport run running fitness gym marathon soccer football bike speed \
         sneaker スポーツ ランニング 走 フィットネス マラソン サッカー 自転車 \
         スニーカー",
    ),
    (
        Subject::Nature,
        "nature natural organic eco green forest garden plant leaf \
         sustainable botanical herb flower 自然 森 庭 植物 緑 葉 花 環境 オーガニック \
         ハーブ サステナブル",
    ),
];

/// What the words of a mood mean.
pub(crate) const MOODS: &[(Mood, &str)] = &[
    (
        Mood::Warm,
        "warm cozy cosy friendly gentle homely nostalgic 温かい あたたか 暖か 温もり \
         優しい やさしい ぬくもり 懐かし",
    ),
    (
        Mood::Calm,
        "calm quiet serene peaceful relaxed minimal soft zen 穏やか 静か 落ち着 安らぎ \
         ミニマル 癒",
    ),
    (
        Mood::Bold,
        "bold energetic dynamic powerful strong exciting vivid 大胆 力強 元気 躍動 \
         鮮やか 情熱",
    ),
    (
        Mood::Luxury,
        "luxury luxurious premium elegant refined gold exclusive 高級 上質 優雅 贅沢 \
         上品 プレミアム 洗練",
    ),
    (
        Mood::Fresh,
        "fresh clean bright clear light crisp 爽やか さわやか 清潔 明るい 透明 \
         フレッシュ 清涼",
    ),
    (Mood::Dark, "dark night mysterious moody noir cinematic 夜 神秘 ダーク ミステリ 深い"),
    (
        Mood::Playful,
        "playful fun pop cheerful happy kids joyful 楽しい ポップ かわいい 可愛 遊び \
         わくわく ワクワク",
    ),
];
