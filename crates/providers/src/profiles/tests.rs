use super::*;

#[test]
fn shipped_profiles_are_priced_and_default_is_one_of_them() {
    let shipped = Profiles::shipped();
    assert!(shipped.iter().count() >= 3);
    assert!(shipped.iter().all(|profile| profile.price().is_ok()));
    assert_eq!(&*shipped.get("default").unwrap().name, "scripted");
    assert_eq!(&*shipped.get("fast").unwrap().name, "scripted-small");
    assert_eq!(&*shipped.get("best").unwrap().name, "scripted-large");
    assert!(shipped.get("gpt-17").is_none());
}

#[test]
fn what_a_vendor_charges_says_where_it_is_from_and_of_which_day() {
    let shipped = Profiles::shipped();
    for profile in shipped.iter().filter(|profile| profile.provider != "scripted") {
        let source = &profile.source;
        assert!(source.contains("2026-") && source.contains('.'), "{}: {source}", profile.name);
        let price = profile.price().unwrap();
        assert!(price.input > 0 && price.output > price.input, "{}", profile.name);
        assert!(price.cached_input < price.input, "{}", profile.name);
    }
}

#[test]
fn a_provider_can_be_chosen_and_one_tier_changed() {
    let mut profiles = Profiles::shipped();
    assert!(profiles.choose_provider("anthropic"));
    assert_eq!(profiles.get("default").unwrap().provider, "anthropic");
    assert_eq!(profiles.get("fast").unwrap().provider, "anthropic");
    profiles.choose("best", "scripted-large").unwrap();
    assert_eq!(&*profiles.get("best").unwrap().name, "scripted-large");
    assert!(!profiles.choose_provider("nobody"));
    let unknown = profiles.choose("fast", "gpt-17").unwrap_err();
    assert!(unknown.contains("`gpt-17`") && unknown.contains("scripted"), "{unknown}");
    assert_eq!(profiles.chosen().count(), 3);
}

#[test]
fn a_model_that_thinks_may_write_more_than_its_agent_says() {
    let shipped = Profiles::shipped();
    let thinker = shipped.iter().find(|profile| profile.thinking_tokens > 0).unwrap();
    assert!(thinker.thinking_tokens < thinker.max_output_tokens);
}

#[test]
fn a_file_of_the_operator_adds_and_replaces() {
    let mut profiles = Profiles::shipped();
    let text = r#"{"default": "mine", "models": {"mine": {"provider": "p", "model": "x",
        "price": {"input": 1, "output": 2}, "context_tokens": 9, "max_output_tokens": 9}}}"#;
    profiles.add_json(text).unwrap();
    assert_eq!(&*profiles.get("default").unwrap().model, "x");
    assert_eq!(&*profiles.get("fast").unwrap().name, "scripted-small");
    let tier = profiles.add_json(r#"{"tiers": {"p": {"fast": "gone"}}}"#).unwrap_err();
    assert!(tier.contains("tier `fast` of `p`") && tier.contains("`gone`"), "{tier}");
}

#[test]
fn a_model_without_a_price_is_refused() {
    let text = r#"{"default": "m", "models": {"m":
        {"provider": "p", "model": "x", "context_tokens": 9, "max_output_tokens": 9}}}"#;
    let profiles = Profiles::from_json(text).unwrap();
    let refused = profiles.get("m").unwrap().price().unwrap_err().into_failure();
    assert_eq!((refused.class, refused.code.as_str()), (ErrorClass::Budget, "model_unpriced"));
    assert!(refused.message.contains("`m`"));
}

#[test]
fn wrong_profile_files_say_what_is_wrong() {
    let unknown = Profiles::from_json(r#"{"default": "m", "models": {}}"#).unwrap_err();
    assert!(unknown.contains("`m` is not among"), "{unknown}");
    let typo = Profiles::from_json(r#"{"default": "m", "modles": {}}"#).unwrap_err();
    assert!(typo.contains("modles"), "{typo}");
    let none = Profiles::from_json(r#"{"models": {}}"#).unwrap_err();
    assert!(none.contains("`default`"), "{none}");
}
