//! Says what was drawn, for those who cannot see it and for machines that check it.

use crate::{
    art::Copy,
    brief::{Brief, Family, Subject},
    painter::add,
    spec::Language,
};

pub(super) fn text(brief: &Brief, copy: &Copy) -> String {
    match copy.language {
        Language::Ja => japanese(brief, copy),
        Language::En => english(brief, copy),
    }
}

fn japanese(brief: &Brief, copy: &Copy) -> String {
    let mut text = format!("{}を描いたグラフィック。", picture(brief).0);
    let mut said = |label: &str, words: &str| {
        if !words.is_empty() {
            add(&mut text, format_args!("{label}「{words}」。"));
        }
    };
    said("見出し", &copy.headline);
    said("本文", &copy.subline);
    said("ボタン", &copy.call_to_action);
    said("ブランド", &copy.brand);
    text
}

fn english(brief: &Brief, copy: &Copy) -> String {
    let mut text = format!("Graphic artwork: {}.", picture(brief).1);
    let mut said = |label: &str, words: &str| {
        if !words.is_empty() {
            add(&mut text, format_args!(" {label}: “{words}”."));
        }
    };
    said("Headline", &copy.headline);
    said("Text", &copy.subline);
    said("Button", &copy.call_to_action);
    said("Brand", &copy.brand);
    text
}

fn picture(brief: &Brief) -> (&'static str, &'static str) {
    match brief.family {
        Family::Landscape if brief.is(Subject::Sea) => (
            "水平線の太陽と、その光が伸びる海",
            "the sun over a sea with its path of light on the water",
        ),
        Family::Landscape => {
            ("霧に重なる山並みと低い太陽", "ridges layered in mist under a low sun")
        },
        Family::Geometric => (
            "円・四角・三角を格子に組んだ幾何学模様",
            "circles, squares and triangles set in a strict grid",
        ),
        Family::Ribbons => ("絹のように流れる光の帯", "bands of fine lines flowing like silk"),
        Family::Isometric => {
            ("斜め上から見た立体ブロックの街並み", "a town of blocks seen from above at an angle")
        },
        Family::Botanical if brief.is(Subject::Spring) => {
            ("淡い太陽の前に咲く桜の枝", "cherry branches in bloom before a pale sun")
        },
        Family::Botanical => ("丸い太陽の前に茂る草木の葉", "leaves growing before a round sun"),
        Family::Radial if brief.is(Subject::Music) => {
            ("音の波形が円を描く同心円", "a sound's bars bent into a circle around rings")
        },
        Family::Radial => {
            ("中心から広がる色とりどりの輪", "coloured rings spreading from a centre")
        },
        Family::NightCity => (
            "水面に灯りを映す月夜の都市",
            "a city at night under the moon, its lights on the water",
        ),
        Family::StillLife if brief.is(Subject::Coffee) => (
            "光の差す台座に置かれた一杯のコーヒー",
            "a cup of coffee on a pedestal in a beam of light",
        ),
        Family::StillLife if brief.is(Subject::Tea) => {
            ("光の差す台座に置かれた一杯のお茶", "a cup of tea on a pedestal in a beam of light")
        },
        Family::StillLife if brief.is(Subject::Beauty) => {
            ("光の差す台座に置かれた化粧瓶", "a bottle on a pedestal in a beam of light")
        },
        Family::StillLife if brief.is(Subject::Food) => {
            ("光の差す台座に置かれた果物の鉢", "a bowl of fruit on a pedestal in a beam of light")
        },
        Family::StillLife => {
            ("光の差す台座に置かれた球体", "a ball on a pedestal in a beam of light")
        },
        Family::Seigaiha => (
            "青海波の波と富士に似た山、昇る太陽",
            "stylised Japanese waves, a far summit and a rising sun",
        ),
    }
}
