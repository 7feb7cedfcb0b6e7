//! Which run is meant: a whole id, the beginning of one, or the newest.

use super::Client;
use super::shapes::{Page, Run};
use crate::fault::{Fault, Outcome};

/// What every run's id begins with.
const PREFIX: &str = "run_";
/// Characters after the prefix.
const ID_LENGTH: usize = 26;
/// How many of the newest runs are searched for the beginning of an id.
const SEARCHED_MAX: usize = 2_000;

impl Client {
    /// The run that `given` means.
    pub(crate) async fn run_id(&self, given: &str) -> Outcome<String> {
        let given = given.trim();
        match given {
            "-" | "@last" => self.newest().await,
            "" => Err(Fault::usage("the run's id is empty").hint(HOW)),
            _ if is_whole(given) => Ok(given.to_owned()),
            _ if is_beginning(given) => self.beginning_with(given).await,
            _ => Err(Fault::usage(format!("{given} is not a run's id"))
                .because("ids look like run_01K9…, letters and digits only")
                .hint(HOW)),
        }
    }

    async fn newest(&self) -> Outcome<String> {
        let page: Page<Run> = self.read("/api/v1/runs?limit=1").await?;
        page.data.into_iter().next().map(|run| run.id).ok_or_else(|| {
            Fault::refused("there is no run yet").hint("make one with: showrunner demo")
        })
    }

    async fn beginning_with(&self, given: &str) -> Outcome<String> {
        let wanted =
            if given.starts_with(PREFIX) { given.to_owned() } else { format!("{PREFIX}{given}") };
        let mut found: Vec<Run> = Vec::new();
        let mut path = "/api/v1/runs?limit=200".to_owned();
        let mut searched = 0;
        loop {
            let page: Page<Run> = self.read(&path).await?;
            searched += page.data.len();
            found.extend(page.data.into_iter().filter(|run| starts(&run.id, &wanted)));
            match page.next_cursor {
                Some(cursor) if searched < SEARCHED_MAX => {
                    path = format!("/api/v1/runs?limit=200&cursor={}", escape(&cursor));
                },
                _ => break,
            }
        }
        match found.as_slice() {
            [one] => Ok(one.id.clone()),
            [] => Err(Fault::refused(format!("no run's id begins with {wanted}"))
                .because(format!("searched the newest {searched} runs at {}", self.base()))
                .hint("see what is there: showrunner runs list")),
            several => {
                let fault = Fault::usage(format!("{} runs begin with {wanted}", several.len()));
                Err(several
                    .iter()
                    .take(5)
                    .fold(fault, |fault, run| {
                        fault.because(format!(
                            "{} {}",
                            run.id,
                            run.title.as_deref().unwrap_or_default()
                        ))
                    })
                    .hint("write more of the id"))
            },
        }
    }
}

const HOW: &str = "write an id, the beginning of one, or @last for the newest run; \
                   `showrunner runs list` shows them";

fn is_whole(id: &str) -> bool {
    id.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == ID_LENGTH) && is_beginning(id)
}

fn is_beginning(id: &str) -> bool {
    id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn starts(id: &str, wanted: &str) -> bool {
    id.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted))
}

/// Percent-encodes a text for one segment of a path or one value of a query.
pub(crate) fn escape(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{escape, is_whole, starts};

    #[test]
    fn knows_a_whole_id() {
        assert!(is_whole("run_01k9zw7v5mqe8x2r4t6y8p0abc"));
        assert!(!is_whole("run_01k9"));
        assert!(!is_whole("run_01k9zw7v5mqe8x2r4t6y8p0ab/"));
    }

    #[test]
    fn a_beginning_is_found_whatever_its_case() {
        assert!(starts("run_01k9zw", "run_01K9"));
        assert!(!starts("run_01", "run_01k9"));
    }

    #[test]
    fn a_step_key_fits_into_a_path() {
        assert_eq!(escape("review[1]/draft"), "review%5B1%5D%2Fdraft");
        assert_eq!(escape("原稿"), "%E5%8E%9F%E7%A8%BF");
    }
}
