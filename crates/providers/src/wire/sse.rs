//! Server-sent events, as vendors stream them: bytes in, whole events out.
//!
//! Source: the event stream format of the HTML standard. Reconnection (`id`, `retry`) has no use
//! here: a paid answer is not asked for twice.

/// The longest event that is taken, in bytes; vendors send some hundred at a time.
const EVENT_MAX: usize = 4 << 20;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name; empty where the vendor gives none.
    pub(super) name: String,
    /// Its data: the lines joined, usually one JSON text.
    pub(super) data: String,
}

/// The bytes are no event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Garbled {
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// An event without an end.
    #[error("one event is over {EVENT_MAX} bytes")]
    TooLong,
}

/// Puts events together from pieces cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Reader {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
}

impl Reader {
    /// Takes the next piece of the body and gives the events that it completes.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Garbled> {
        let mut events = Vec::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            self.line.extend_from_slice(line);
            rest = after.get(1..).unwrap_or_default();
            let whole = std::mem::take(&mut self.line);
            events.extend(self.take_line(&whole)?);
        }
        self.line.extend_from_slice(rest);
        if self.line.len() + self.event.data.len() > EVENT_MAX {
            return Err(Garbled::TooLong);
        }
        Ok(events)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<Option<Event>, Garbled> {
        let Ok(line) = std::str::from_utf8(line) else { return Err(Garbled::NotUtf8) };
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return Ok(std::mem::take(&mut self.has_data).then_some(event));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
                if self.event.data.len() > EVENT_MAX {
                    return Err(Garbled::TooLong);
                }
            },
            // A comment (a sign of life), or a field that we have no use for.
            _ => {},
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": warming up\r\n\r\nevent: start\ndata: {\"a\":1}\n\nretry: 5\ndata:first\ndata\ndata: 三\r\n\r\nevent: empty\n\ndata: [DONE]\n\ndata: cut o";

    fn events() -> Vec<Event> {
        let event = |name: &str, data: &str| Event { name: name.into(), data: data.into() };
        vec![event("start", "{\"a\":1}"), event("", "first\n\n三"), event("", "[DONE]")]
    }

    #[test]
    fn wherever_the_pieces_are_cut_the_events_are_the_same() {
        for size in 1..STREAM.len() {
            let mut reader = Reader::default();
            let pieces = STREAM.as_bytes().chunks(size);
            let read: Vec<Event> = pieces.flat_map(|piece| reader.take(piece).unwrap()).collect();
            assert_eq!(read, events(), "pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_text_or_has_no_end_is_refused() {
        assert_eq!(Reader::default().take(b"data: \xff\xfe\n\n"), Err(Garbled::NotUtf8));
        let line = vec![b'x'; EVENT_MAX + 1];
        assert_eq!(Reader::default().take(&line), Err(Garbled::TooLong));
        let mut reader = Reader::default();
        let lines = format!("data: {}\n", "y".repeat(1 << 20));
        let refused = (0..6).find_map(|_| reader.take(lines.as_bytes()).err());
        assert_eq!(refused, Some(Garbled::TooLong));
    }
}
