//! The `Retry-After` header: seconds, or a date in one of HTTP's three spellings.

use showrunner_engine::at::{Millis, Timestamp};

/// A provider that asks for a longer pause than this is not waited for any longer than this.
pub const RETRY_AFTER_MAX: Millis = Millis::from_secs(24 * 60 * 60);

/// The pause that the header asks for at `now`; at most [`RETRY_AFTER_MAX`]. A date in the past
/// asks for none. What is not understood asks for nothing.
pub fn parse_retry_after(header: &str, now: Timestamp) -> Option<Millis> {
    let header = header.trim();
    let span = match seconds(header) {
        Some(span) => span,
        None => Timestamp(http_date(header)?.saturating_mul(1_000_000)).millis_since(now),
    };
    Some(span.min(RETRY_AFTER_MAX))
}

/// Whole seconds, or with a fraction as some vendors write them (rounded up).
fn seconds(text: &str) -> Option<Millis> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // More digits than fit are simply too many seconds.
    let whole: u64 = whole.parse().unwrap_or(u64::MAX);
    let up = u64::from(fraction.bytes().any(|b| b != b'0'));
    Some(Millis::from_secs(whole.saturating_add(up)))
}

/// Seconds since the epoch of `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`
/// or `Sun Nov  6 08:49:37 1994`.
fn http_date(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split([' ', '-', ',']).filter(|word| !word.is_empty()).collect();
    let ([_, day, month, year, time, "GMT"] | [_, month, day, time, year]) = words.as_slice()
    else {
        return None;
    };
    let year = match (year.len(), number(year, 9999)?) {
        (4, year) => year,
        // Two digits were for the last century's end and this one's beginning.
        (2, year) => year + if year < 70 { 2000 } else { 1900 },
        _ => return None,
    };
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = i64::try_from(MONTHS.iter().position(|name| name == month)?).ok()? + 1;
    let day = number(day, 31).filter(|day| *day > 0)?;
    let mut clock = time.split(':');
    let (hour, minute, second) =
        (number(clock.next()?, 23)?, number(clock.next()?, 59)?, number(clock.next()?, 60)?);
    if clock.next().is_some() {
        return None;
    }
    Some(days_from_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn number(text: &str, max: i64) -> Option<i64> {
    if text.is_empty() || text.len() > 4 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|n| *n <= max)
}

/// Days from 1970-01-01 in the Gregorian calendar, counting years from March so that the leap day
/// comes last.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719 468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_dates_and_nonsense() {
        // 1994-11-06 08:49:07 UTC, half a minute before the example date of the standard.
        let now = Timestamp(784_111_747_000_000);
        let half_a_minute = Some(Millis(30_000));
        for (header, expected) in [
            ("0", Some(Millis(0))),
            ("120", Some(Millis(120_000))),
            (" 7 ", Some(Millis(7_000))),
            ("1.5", Some(Millis(2_000))),
            ("86401", Some(RETRY_AFTER_MAX)),
            ("99999999999999999999999999", Some(RETRY_AFTER_MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", half_a_minute),
            ("Sunday, 06-Nov-94 08:49:37 GMT", half_a_minute),
            ("Sun Nov  6 08:49:37 1994", half_a_minute),
            ("Sat, 05 Nov 1994 08:49:37 GMT", Some(Millis(0))),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(RETRY_AFTER_MAX)),
            ("Mon, 29 Feb 2024 00:00:00 GMT", Some(RETRY_AFTER_MAX)),
            ("-5", None),
            ("+5", None),
            ("", None),
            ("soon", None),
            ("1e3", None),
            ("5s", None),
            (".5", None),
            ("Sun, 06 Nox 1994 08:49:37 GMT", None),
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 Nov 19994 08:49:37 GMT", None),
            ("二十", None),
        ] {
            assert_eq!(parse_retry_after(header, now), expected, "{header:?}");
        }
    }

    #[test]
    fn the_calendar_is_right_around_leap_days() {
        for (date, days) in [
            ((1970, 1, 1), 0),
            ((1970, 3, 1), 59),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2026, 11, 20), 20_777),
            ((2100, 3, 1), 47_541),
        ] {
            assert_eq!(days_from_epoch(date.0, date.1, date.2), days, "{date:?}");
        }
    }
}
