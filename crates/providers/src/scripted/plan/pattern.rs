//! Texts that fit a regular expression, for expressions as people write them in schemas: classes,
//! groups, alternatives, counts, anchors. Anything else (look-around, references) is not planned.

use super::super::dice::Dice;

/// Repetitions made of `*` and `+` beyond the least.
const MORE_MAX: u32 = 6;
/// The longest text that is made.
const LENGTH_MAX: usize = 4096;

/// Makes texts for one expression.
#[derive(Debug)]
pub(in crate::scripted) struct Sampler {
    alternatives: Vec<Sequence>,
}

type Sequence = Vec<(Part, u32, u32)>;

#[derive(Debug)]
enum Part {
    /// One of the characters in these ranges.
    Class(Vec<(char, char)>),
    Group(Vec<Sequence>),
}

impl Sampler {
    /// Reads an expression; `None` where it says more than this understands.
    pub(in crate::scripted) fn of(pattern: &str) -> Option<Self> {
        let mut reader = Reader { chars: pattern.chars().collect(), at: 0 };
        let alternatives = reader.alternatives(0)?;
        (reader.at == reader.chars.len()).then_some(Self { alternatives })
    }

    /// A text that fits.
    pub(in crate::scripted) fn sample(&self, dice: &mut Dice) -> String {
        let mut text = String::new();
        write(&self.alternatives, dice, &mut text);
        text
    }
}

fn write(alternatives: &[Sequence], dice: &mut Dice, to: &mut String) {
    let Some(sequence) = dice.pick(alternatives) else { return };
    for (part, least, most) in sequence {
        let count = dice.between(u64::from(*least), u64::from(*most));
        for _ in 0..count {
            if to.len() > LENGTH_MAX {
                return;
            }
            match part {
                Part::Group(inner) => write(inner, dice, to),
                Part::Class(ranges) => to.extend(one_of(ranges, dice)),
            }
        }
    }
}

fn one_of(ranges: &[(char, char)], dice: &mut Dice) -> Option<char> {
    let (low, high) = *dice.pick(ranges)?;
    let code = dice.between(u64::from(u32::from(low)), u64::from(u32::from(high)));
    u32::try_from(code).ok().and_then(char::from_u32)
}

const DIGIT: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('a', 'z'), ('a', 'z'), ('A', 'Z'), ('0', '9')];
const SPACE: &[(char, char)] = &[(' ', ' ')];
const ANY: &[(char, char)] = &[('a', 'z'), ('a', 'z'), ('0', '9')];

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn alternatives(&mut self, depth: usize) -> Option<Vec<Sequence>> {
        if depth > 16 {
            return None;
        }
        let mut all = vec![self.sequence(depth)?];
        while self.eat('|') {
            all.push(self.sequence(depth)?);
        }
        Some(all)
    }

    fn sequence(&mut self, depth: usize) -> Option<Sequence> {
        let mut sequence = Vec::new();
        while let Some(next) = self.peek() {
            let part = match next {
                '|' | ')' => break,
                '^' | '$' => {
                    self.at += 1;
                    continue;
                },
                _ => self.part(depth)?,
            };
            let (least, most) = self.times()?;
            sequence.push((part, least, most));
        }
        Some(sequence)
    }

    fn part(&mut self, depth: usize) -> Option<Part> {
        match self.take()? {
            '(' => {
                if self.eat('?') && !self.eat(':') {
                    return None;
                }
                let inner = self.alternatives(depth + 1)?;
                self.eat(')').then_some(Part::Group(inner))
            },
            '[' => self.class(),
            '.' => Some(Part::Class(ANY.to_vec())),
            '\\' => Some(Part::Class(self.escape()?)),
            '*' | '+' | '?' => None,
            literal => Some(Part::Class(vec![(literal, literal)])),
        }
    }

    fn escape(&mut self) -> Option<Vec<(char, char)>> {
        let one = |c: char| vec![(c, c)];
        Some(match self.take()? {
            'd' => DIGIT.to_vec(),
            'w' => WORD.to_vec(),
            's' => SPACE.to_vec(),
            'n' => one('\n'),
            't' => one('\t'),
            'D' | 'S' | 'W' | 'b' | 'B' | 'p' | 'P' | 'k' | 'A' | 'z' | 'Z' => return None,
            c if c.is_ascii_digit() => return None,
            c => one(c),
        })
    }

    fn class(&mut self) -> Option<Part> {
        let is_negated = self.eat('^');
        let mut ranges = Vec::new();
        loop {
            let low = match self.take()? {
                ']' => break,
                '\\' => match self.escape()?.as_slice() {
                    [(low, high)] if low == high => *low,
                    class => {
                        ranges.extend_from_slice(class);
                        continue;
                    },
                },
                c => c,
            };
            let is_range = self.peek() == Some('-') && self.chars.get(self.at + 1) != Some(&']');
            if is_range {
                self.at += 1;
                let high = match self.take()? {
                    '\\' => self.escape()?.first()?.0,
                    high => high,
                };
                ranges.push((low, high));
            } else {
                ranges.push((low, low));
            }
        }
        if is_negated {
            let is_out = |c: &char| !ranges.iter().any(|(low, high)| (*low..=*high).contains(c));
            ranges = ('a'..='z').chain('0'..='9').filter(is_out).map(|c| (c, c)).collect();
        }
        (!ranges.is_empty()).then_some(Part::Class(ranges))
    }

    /// How often the part before is wanted.
    fn times(&mut self) -> Option<(u32, u32)> {
        let times = match self.peek() {
            Some('*') => (0, MORE_MAX),
            Some('+') => (1, 1 + MORE_MAX),
            Some('?') => (0, 1),
            Some('{') => return self.counted(),
            _ => return Some((1, 1)),
        };
        self.at += 1;
        self.eat('?');
        Some(times)
    }

    fn counted(&mut self) -> Option<(u32, u32)> {
        self.at += 1;
        let least = self.number()?;
        let most = match self.eat(',') {
            false => least,
            true if self.peek() == Some('}') => least.saturating_add(MORE_MAX),
            true => self.number()?,
        };
        (self.eat('}') && least <= most && most <= 1000).then_some((least, most))
    }

    fn number(&mut self) -> Option<u32> {
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        self.chars.get(from..self.at)?.iter().collect::<String>().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use showrunner_engine::schema::Schema;

    use super::*;

    #[test]
    fn what_is_made_fits_the_expression() {
        for pattern in [
            "^#[0-9a-fA-F]{6}$",
            "^[A-Z]{2}-\\d{3,5}$",
            "^(draft|final)_v[1-9][0-9]?$",
            "^\\+?[0-9 ()-]{7,15}$",
            "^[^aeiou]+$",
            "^(?:[a-z0-9]+-)*[a-z0-9]+$",
            "^\\w+@\\w+\\.(com|jp)$",
            "a{2,}b*",
            "^[\\w.-]+$",
        ] {
            let sampler = Sampler::of(pattern).unwrap_or_else(|| panic!("{pattern}"));
            let schema = Schema::compile(serde_json::json!({ "pattern": pattern })).unwrap();
            for seed in 0..50 {
                let text = sampler.sample(&mut Dice::new(seed));
                assert!(schema.accepts(&text.clone().into()), "{pattern}: {text}");
            }
        }
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for pattern in ["(?=a)b", "(a)\\1", "\\bword", "[a", "a{5,2}", "a{1", "(", "*"] {
            assert!(Sampler::of(pattern).is_none(), "{pattern}");
        }
    }
}
