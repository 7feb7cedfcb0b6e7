//! What a failure means for whoever made the request, without the words of machines.

use showrunner_journal::query::dead_letters::DeadLetterView;
use showrunner_web::view::LabelView;

/// What happened, how often it was tried, and what can be done.
pub(super) fn explain(view: &DeadLetterView) -> LabelView {
    let [en, ja] = cause(&view.class);
    let [do_en, do_ja] = remedy(&view.class);
    let name = |language: &str| {
        let name = view.snapshot.pointer(&format!("/name/{language}"));
        name.and_then(|name| name.as_str()).unwrap_or_else(|| view.step.as_str())
    };
    let times =
        if view.attempts == 1 { "one try".into() } else { format!("{} tries", view.attempts) };
    LabelView {
        en: format!("“{}” stopped after {times}: {en} {do_en}", name("en")),
        ja: format!(
            "「{}」は{}回試しましたが完了しませんでした。{ja}{do_ja}",
            name("ja"),
            view.attempts
        ),
    }
}

fn cause(class: &str) -> [&'static str; 2] {
    match class {
        "transient" => [
            "the service it needs was busy or broken every time.",
            "利用先のサービスが混雑しているか、一時的に止まっていました。",
        ],
        "rate_limited" => [
            "the service it needs takes no more calls from us for now.",
            "利用先のサービスの受付上限に達しています。",
        ],
        "quota_exceeded" => {
            ["our credit at the service is used up.", "利用先のサービスの残高を使い切っています。"]
        },
        "validation" => [
            "what it was given or what it made is not what is asked for.",
            "入力または生成された内容が求められた形になっていません。",
        ],
        "provider" => [
            "the service refused or could not do this work.",
            "利用先のサービスがこの作業を断ったか、完了できませんでした。",
        ],
        "network" => {
            ["the service could not be reached.", "利用先のサービスに接続できませんでした。"]
        },
        "timeout" => ["it took longer than it may.", "制限時間内に終わりませんでした。"],
        "budget" => ["what it would cost does not fit the budget.", "費用が予算に収まりません。"],
        "cancelled" => ["somebody took the work away.", "作業が取り消されました。"],
        "rejected" => {
            ["it was looked at and turned down.", "内容が確認の結果、認められませんでした。"]
        },
        _ => ["something went wrong in this server.", "サーバー内部で問題が起きました。"],
    }
}

fn remedy(class: &str) -> [&'static str; 2] {
    match class {
        "transient" | "rate_limited" | "network" | "timeout" => [
            "Nothing is wrong with your request: have it done again a little later.",
            "依頼内容に問題はありません。しばらくしてから再実行してください。",
        ],
        "quota_exceeded" => [
            "Ask whoever runs the place to top it up, or choose another provider; then have it done again.",
            "管理者に残高の追加を依頼するか別の提供元を選び、再実行してください。",
        ],
        "validation" | "rejected" => [
            "Doing it again unchanged helps little: change the brief or say what should be different, then have it done again.",
            "そのまま再実行しても結果は変わりにくいため、依頼文を直すか、変更点を伝えて再実行してください。",
        ],
        "provider" => [
            "Change the brief or choose another provider, then have it done again.",
            "依頼文を変えるか別の提供元を選び、再実行してください。",
        ],
        "budget" => [
            "Have the budget raised, or ask for less.",
            "予算の引き上げを依頼するか、依頼内容を減らしてください。",
        ],
        "cancelled" => {
            ["Have it done again if it is still wanted.", "必要であれば再実行してください。"]
        },
        _ => [
            "Tell whoever runs the place; the letter says what they need to know.",
            "管理者に連絡してください。必要な情報はこの記録にあります。",
        ],
    }
}

#[cfg(test)]
mod tests {
    use showrunner_engine::failure::ErrorClass;

    use super::*;

    #[test]
    fn every_class_of_failure_has_words_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for class in ErrorClass::ALL {
            assert!(seen.insert(cause(class.name())), "{class:?} has the words of another");
        }
        let of_us = cause(ErrorClass::Internal.name());
        assert_eq!(of_us, cause("unknown"), "what nobody knows is our own fault");
    }
}
