//! Spans of time as authors write them: `90s`, `5m`, `1h30m`, `3d`, `250ms`.

use crate::at::Millis;

/// Longest span: ten years, so that sums of spans and instants never overflow.
pub(crate) const LONGEST_DAYS: u64 = 3_650;

/// The same in milliseconds.
pub(crate) const LONGEST: Millis = Millis(LONGEST_DAYS * 86_400_000);

/// Reads a span. Units are `ms`, `s`, `m`, `h`, `d`, and a number without one is refused, because
/// nobody remembers which it would be.
pub fn parse(text: &str) -> Result<Millis, String> {
    const WANTED: &str = "a time such as \"90s\", \"5m\", \"1h30m\" or \"3d\"";
    let wrong = || format!("`{}` is not {WANTED}", text.chars().take(40).collect::<String>());
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters =
            after.len() - after.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
        let (unit, next) = after.split_at(letters);
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let span = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit_ms));
        let sum = span.and_then(|span| total.checked_add(span));
        total = sum.filter(|ms| *ms <= LONGEST.0).ok_or_else(|| {
            if number.is_empty() { wrong() } else { format!("longer than {LONGEST_DAYS} days") }
        })?;
        rest = next.trim_start();
    }
    Ok(Millis(total))
}
