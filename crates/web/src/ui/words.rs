//! The words of the screens, both languages side by side: a missing one does not compile.

/// The languages of the screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Japanese.
    Ja,
}

impl Language {
    /// As in `lang` attributes and [`showrunner_engine::definition::Label::in_language`].
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }
}

/// One text in both languages.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// Japanese.
    pub ja: &'static str,
}

impl Words {
    /// In one of them.
    pub fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Ja => self.ja,
        }
    }
}

/// Declares a catalogue: `name { key: "English" / "日本語"; }`.
#[macro_export]
macro_rules! catalogue {
    ($(#[$meta:meta])* $name:ident { $($key:ident: $en:literal / $ja:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name { $(#[doc = $en] pub $key: &'static str),+ }
        impl $name {
            /// In one language.
            pub fn in_language(language: $crate::ui::Language) -> &'static Self {
                static EN: $name = $name { $($key: $en),+ };
                static JA: $name = $name { $($key: $ja),+ };
                match language {
                    $crate::ui::Language::En => &EN,
                    $crate::ui::Language::Ja => &JA,
                }
            }
        }
    };
}

/// A sentence with its `{places}` filled in.
pub fn fill(sentence: &str, places: &[(&str, &str)]) -> String {
    let mut filled = sentence.to_owned();
    for (name, value) in places {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    filled
}

catalogue! {
    /// The words of the generic screens.
    Texts {
        product: "Showrunner" / "Showrunner";
        skip_link: "Skip to content" / "本文へ移動";
        home: "Home" / "ホーム";
        runs: "Runs" / "制作一覧";
        definitions: "Playbooks" / "企画テンプレート";
        webhooks: "Webhooks" / "Webhook";
        new: "New" / "新規作成";
        navigation: "Main" / "メイン";
        sign_in: "Sign in" / "サインイン";
        sign_out: "Sign out" / "サインアウト";
        language: "Language" / "言語";
        theme: "Appearance" / "表示";
        theme_system: "System" / "自動";
        theme_light: "Light" / "ライト";
        theme_dark: "Dark" / "ダーク";
        save: "Apply" / "適用";
        simulated: "Simulated" / "シミュレーション";
        simulated_about: "Made by the shipped double: no vendor was asked, nothing was paid." / "内蔵シミュレーターによる結果です。外部サービスは呼ばれておらず、料金も発生していません。";
        what_it_means: "What it means" / "このエラーについて";
        request_id: "Request" / "リクエスト";
        back_to_run: "Back to the run" / "制作に戻る";

        s_pending: "Queued" / "待機";
        s_running: "Running" / "実行中";
        s_waiting: "Waiting" / "待ち";
        s_waiting_person: "Needs you" / "承認待ち";
        s_delivered: "Delivered" / "納品済み";
        s_paused: "Paused" / "一時停止";
        s_closing: "Ending" / "終了処理中";
        s_completed: "Done" / "完了";
        s_failed: "Failed" / "失敗";
        s_cancelled: "Cancelled" / "中止";
        s_succeeded: "Done" / "完了";
        s_skipped: "Skipped" / "スキップ";

        login_title: "Sign in" / "サインイン";
        login_about: "Paste the token that the server printed at its first start." / "サーバーの初回起動時に表示されたトークンを貼り付けてください。";
        login_token: "Token" / "トークン";
        login_wrong: "This token is not known here, or was revoked." / "このトークンは登録されていないか、無効になっています。";
        login_where: "It is also in the ready file and in the server's data folder." / "起動時のready fileとデータフォルダーにも保存されています。";

        home_title: "Today" / "今日";
        home_needs_none: "Nothing waits for you." / "あなたを待っているものはありません。";
        home_needs_one: "One thing needs you." / "1件があなたの判断を待っています。";
        home_needs_many: "{n} things need you." / "{n}件があなたの判断を待っています。";
        home_needs: "Needs you" / "判断待ち";
        home_running: "Running now" / "進行中";
        home_recent: "Recently finished" / "最近の完了";
        home_none_running: "Nothing is running." / "進行中の制作はありません。";
        home_start: "Start something" / "はじめる";
        home_spent: "Spent today" / "本日の費用";
        home_done_24h: "Done in 24 h" / "24時間の完了";
        home_failed_24h: "Failed in 24 h" / "24時間の失敗";
        home_waiting: "Waiting" / "待ち";
        home_empty: "No runs yet. The demo needs no keys and takes about twenty seconds." / "まだ制作がありません。デモはキー不要で、約20秒で終わります。";
        run_demo: "Run the demo" / "デモを実行";
        or_command: "or on the command line" / "コマンドラインから";
        review: "Review" / "確認する";
        since: "since" / "待機開始";
        show_all: "Show all" / "すべて表示";

        runs_title: "Runs" / "制作一覧";
        filter: "Filter" / "絞り込み";
        filter_text: "Title contains" / "タイトル";
        filter_status: "Status" / "状態";
        filter_any: "Any" / "すべて";
        filter_definition: "Playbook" / "企画テンプレート";
        filter_clear: "Clear" / "解除";
        runs_none: "No run fits." / "該当する制作はありません。";
        older: "Older" / "さらに古いもの";
        untitled: "Untitled" / "無題";
        col_run: "Run" / "制作";
        col_status: "Status" / "状態";
        col_phase: "Phase" / "フェーズ";
        col_started: "Started" / "開始";
        col_cost: "Cost" / "費用";

        story: "Story" / "進行";
        phases: "Phases" / "フェーズ";
        phase_now: "now" / "現在";
        phase_done: "done" / "済み";
        phase_next: "to come" / "これから";
        steps: "Steps" / "工程";
        step: "Step" / "工程";
        attempt_of: "attempt {n} of {max}" / "{max}回中{n}回目";
        attempts: "{n} attempts" / "{n}回試行";
        time: "Time" / "時間";
        timeline: "Timeline" / "タイムライン";
        who: "By" / "担当";
        events: "Events" / "イベント履歴";
        events_all: "All events as JSON" / "全イベント(JSON)";
        events_older: "The newest {n} of {all}" / "{all}件中、新しい{n}件";
        facts: "Facts" / "基本情報";
        brief: "Brief" / "依頼内容";
        cost: "Cost" / "費用";
        cost_estimate: "Estimate" / "見積もり";
        cost_actual: "Actual" / "実績";
        cost_budget: "Budget" / "予算";
        cost_reserved: "Reserved" / "確保中";
        cost_unknown: "Price not known" / "料金不明";
        cost_unknown_calls: "{n} calls, up to" / "{n}件、最大";
        tokens: "Tokens" / "トークン";
        duration: "Duration" / "所要時間";
        expected: "Expected" / "目安";
        started_by: "Started by" / "開始した人";
        started_at: "Started" / "開始";
        ended_at: "Ended" / "終了";
        definition: "Playbook" / "企画テンプレート";
        forked_from: "Fork of" / "複製元";
        parent: "Part of" / "親の制作";
        id: "Id" / "ID";
        result: "Result" / "成果物";
        download: "Download" / "ダウンロード";
        open_full: "Open in full size" / "原寸で開く";
        files: "Files" / "ファイル";
        output: "Output" / "出力";
        live_on: "Live" / "ライブ";
        live_off: "Reconnecting…" / "再接続しています…";
        live_over: "Ended" / "終了";

        now_pending: "It has not begun." / "まだ始まっていません。";
        now_running: "{step} is under way." / "「{step}」を実行しています。";
        now_running_many: "{n} steps are under way: {step}." / "{n}件の工程を実行しています: {step}";
        now_person: "{step} waits for a decision." / "「{step}」が判断を待っています。";
        now_retry: "{step} failed and will be tried again." / "「{step}」が失敗しました。自動で再試行します。";
        now_time: "{step} waits for its time." / "「{step}」は時刻を待っています。";
        now_callback: "{step} waits for an outside report." / "「{step}」は外部からの通知を待っています。";
        now_child: "{step} waits for another run." / "「{step}」は別の制作を待っています。";
        now_job: "{step} waits for the provider." / "「{step}」は外部サービスの処理を待っています。";
        now_doubt: "Nobody knows whether a paid call of {step} took effect. Somebody must find out." / "「{step}」の有料呼び出しが成立したか不明です。確認が必要です。";
        now_fallback: "Another step stands in for {step}." / "「{step}」の代替工程を実行しています。";
        now_paused: "Paused: nothing new starts." / "一時停止中です。新しい工程は始まりません。";
        now_closing: "It is being ended." / "終了処理をしています。";
        now_delivered: "Delivered; work in the background goes on." / "納品済みです。残りの処理を続けています。";
        now_completed: "Finished in {time}." / "{time}で完了しました。";
        now_failed: "It failed: {why}" / "失敗しました: {why}";
        now_cancelled: "It was cancelled." / "中止されました。";
        now_cancelled_why: "It was cancelled: {why}" / "中止されました: {why}";
        next_decide: "Your answer decides what happens next." / "あなたの回答で次に進みます。";
        next_step: "Next: {step}." / "次の工程: {step}";
        next_last: "This is the last step." / "これが最後の工程です。";
        next_retry_or_skip: "Retry the step, or go on without it." / "工程を再実行するか、スキップして進めてください。";
        next_fork: "What it did was undone; a fork starts anew." / "実行済みの作業は取り消されました。フォークでやり直せます。";
        next_resume: "Resume it when you are ready." / "準備ができたら再開してください。";
        until: "until" / "期限";

        approve_note: "Comment" / "コメント";
        approve_note_hint: "Needed for a revision: what should change?" / "差し戻しの場合は必須です。どこを直しますか?";
        decision_bound: "Your answer counts for exactly what is shown here." / "回答は、ここに表示されている内容に対してのみ有効です。";
        asked: "Asked" / "質問";
        details: "Details" / "詳細";
        no_longer_open: "Answered: {verb}, by {who}" / "回答済み: {verb}({who})";
        simulated_review: "Simulated result" / "シミュレーション結果";

        problem: "What went wrong" / "問題";
        failed_class: "Kind" / "種類";
        next_try: "Next try" / "次の試行";
        retry_now: "Retry from here" / "ここから再実行";
        skip: "Skip" / "スキップ";
        skip_reason: "Why go on without it?" / "スキップする理由";
        feedback: "What should be different?" / "どう変えますか?";
        resend: "It did not take effect: send it again" / "成立していない: 再送する";
        count_failed: "Count it as failed" / "失敗として扱う";
        doubt_cost: "What it cost all the same, in US dollars" / "実際にかかった費用(米ドル)";
        handled: "handled by the retry policy" / "再試行ポリシーで対応中";

        pause: "Pause" / "一時停止";
        resume: "Resume" / "再開";
        cancel: "Cancel" / "中止";
        cancel_run: "Cancel the run" / "制作を中止";
        cancel_reason: "Reason" / "理由";
        actions: "Actions" / "操作";

        hooks_title: "Webhooks" / "Webhook";
        hooks_about: "Where events are sent to, signed, and how it went." / "イベントの送信先（署名つき）と、その結果です。";
        hooks_endpoints: "Endpoints" / "送信先";
        hooks_none: "Events are sent nowhere yet. POST /api/v1/webhooks/endpoints, or showrunner webhooks add, makes the first endpoint." / "送信先はまだありません。POST /api/v1/webhooks/endpoints または showrunner webhooks add で作成できます。";
        hooks_url: "Address" / "アドレス";
        hooks_events: "Events" / "イベント";
        hooks_all: "all" / "すべて";
        hooks_state: "State" / "状態";
        hooks_enabled: "enabled" / "有効";
        hooks_failing: "failing since" / "失敗中";
        hooks_disabled: "disabled" / "無効";
        hooks_made: "Made" / "作成";
        hooks_test: "Send a test" / "テスト送信";
        hooks_deliveries: "Deliveries" / "送信記録";
        hooks_nothing: "Nothing was sent yet." / "まだ送信はありません。";
        hooks_event: "Event" / "イベント";
        hooks_tries: "Tries" / "試行";
        hooks_answer: "Last answer" / "最後の応答";
        hooks_pending: "to be sent" / "送信待ち";
        hooks_delivered: "arrived" / "到達";
        hooks_failed: "given up" / "断念";
        hooks_next: "next try" / "次の試行";
        hooks_resend: "Send again" / "再送";
        definitions_title: "Playbooks" / "企画テンプレート";
        version: "Version" / "バージョン";
        source: "Source" / "ソース";
        flow: "Flow" / "流れ";
        needs: "after" / "先行工程";
        step_count: "{n} steps" / "{n}工程";
        definitions_none: "Nothing is published yet." / "まだ公開されたテンプレートはありません。";
        loading: "Loading" / "読み込み中";
        second: "s" / "秒";
        minute: "min" / "分";
        hour: "h" / "時間";
        day: "d" / "日";
        ago: "{time} ago" / "{time}前";
        in_time: "in {time}" / "{time}後";
    }
}
