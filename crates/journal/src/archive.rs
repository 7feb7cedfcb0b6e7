//! Backup while serving, and restore. One format for both databases, so that a small installation
//! can move to Postgres with what it has:
//!
//! ```text
//! manifest.json      format, schema, counts; written last: without it there is no backup
//! <table>.jsonl      a row a line, a JSON array of its values; bytes as {"b": "<hex>"}
//! objects/ab/abcd…   object storage, linked where possible, otherwise copied
//! ```
//!
//! All tables are read at one instant, so a backup holds everything that was acknowledged before
//! it began. Objects are gathered after the tables: what a row names was stored before the row.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use showrunner_engine::id::Digest;

use crate::cell::{Cell, Row, Statement};
use crate::error::JournalError;
use crate::objects::{LocalObjects, Objects};
use crate::tables::{ALL, Whole};
use crate::{Journal, Ownership};

/// The number of this format.
const FORMAT: u64 = 1;
/// While a restore is under way this is set in `meta`; a journal with it is not whole.
pub const RESTORING: &str = "restoring";
/// What is said about it.
pub(crate) const HALF_RESTORED: &str =
    "a restore was interrupted here: remove this database and restore into an empty one";
/// Rows put into one transaction while restoring.
const RESTORE_AT_ONCE: usize = 500;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// How many objects.
    pub objects: u64,
    /// Their bytes together.
    pub object_bytes: u64,
}

impl dyn Journal {
    /// Writes a backup into `directory`, which must be empty or missing.
    pub async fn backup(&self, directory: &Path) -> Result<BackupReport, JournalError> {
        require_empty(directory)?;
        std::fs::create_dir_all(directory).map_err(JournalError::storage)?;
        let questions = ALL.iter().map(|table| Statement::new(table.select())).collect();
        let mut answers = self.snapshot(questions).await?;
        let mut files: Vec<TableFile> = ALL
            .iter()
            .map(|table| TableFile::create(directory, table))
            .collect::<Result<_, _>>()?;
        while let Some(answer) = answers.recv().await {
            let (number, rows) = answer?;
            let Some(file) = files.get_mut(number) else { continue };
            for row in rows {
                file.write(row)?;
            }
        }
        let mut report = BackupReport { rows: BTreeMap::new(), objects: 0, object_bytes: 0 };
        for file in files {
            report.rows.insert(file.name.to_owned(), file.finish()?);
        }
        let from = std::sync::Arc::clone(self.objects());
        let to = directory.join("objects");
        let copied = tokio::task::spawn_blocking(move || copy_objects(from.as_ref(), &to));
        (report.objects, report.object_bytes) = copied.await.map_err(JournalError::storage)??;
        write_manifest(directory, self.database(), &report)?;
        Ok(report)
    }

    /// Puts a backup into this journal, which must be empty.
    pub async fn restore(&self, directory: &Path) -> Result<BackupReport, JournalError> {
        let report = read_manifest(directory)?;
        if self.ownership() == Ownership::Standby {
            return Err(JournalError::Fenced);
        }
        self.require_nothing_stored().await?;
        self.set_meta(RESTORING, "true").await?;
        for table in ALL {
            self.restore_table(directory, table, &report).await?;
        }
        let (from, to) = (directory.join("objects"), std::sync::Arc::clone(self.objects()));
        let put = tokio::task::spawn_blocking(move || put_objects(&from, to.as_ref()));
        put.await.map_err(JournalError::storage)??;
        let done = Statement::new("DELETE FROM meta WHERE key = $1").bind(RESTORING);
        self.write(vec![done]).await?;
        Ok(report)
    }

    /// Refuses a journal that anything was ever stored in.
    async fn require_nothing_stored(&self) -> Result<(), JournalError> {
        for table in ALL.iter().filter(|table| table.name != "meta") {
            let question = Statement::new(format!("SELECT 1 FROM {} LIMIT 1", table.name));
            if !self.fetch(question).await?.is_empty() {
                return Err(JournalError::Unusable(format!(
                    "a backup can only be restored into an empty database; {} has rows",
                    table.name,
                )));
            }
        }
        if self.meta(RESTORING).await?.is_some() {
            return Err(JournalError::Unusable(HALF_RESTORED.into()));
        }
        Ok(())
    }

    async fn restore_table(
        &self,
        directory: &Path,
        table: &Whole,
        report: &BackupReport,
    ) -> Result<(), JournalError> {
        // A backup of a release that did not have the table yet.
        if !report.rows.contains_key(table.name) {
            return Ok(());
        }
        let path = directory.join(format!("{}.jsonl", table.name));
        let lines = BufReader::new(File::open(&path).map_err(JournalError::storage)?).lines();
        let mut statements = Vec::with_capacity(RESTORE_AT_ONCE);
        let mut count = 0;
        for line in lines {
            let line = line.map_err(JournalError::storage)?;
            count += 1;
            let cells = decode(&line, &path, count)?;
            // The one who restores keeps its own place in the row of owners.
            if table.name == "meta" && cells.first() == Some(&Cell::Text("epoch".into())) {
                continue;
            }
            statements.push(Statement { sql: table.insert().into(), values: cells });
            if statements.len() == RESTORE_AT_ONCE {
                self.write(std::mem::take(&mut statements)).await?;
            }
        }
        self.write(statements).await?;
        if report.rows.get(table.name) != Some(&count) {
            return Err(JournalError::Corrupt(format!(
                "{} holds {count} rows, its manifest says {:?}",
                path.display(),
                report.rows.get(table.name),
            )));
        }
        Ok(())
    }
}

fn require_empty(directory: &Path) -> Result<(), JournalError> {
    if std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(JournalError::Unusable(format!(
            "{} is not empty: a backup needs a directory of its own",
            directory.display(),
        )));
    }
    Ok(())
}

struct TableFile {
    name: &'static str,
    file: BufWriter<File>,
    count: u64,
}

impl TableFile {
    fn create(directory: &Path, table: &Whole) -> Result<Self, JournalError> {
        let path = directory.join(format!("{}.jsonl", table.name));
        let file = BufWriter::new(File::create(path).map_err(JournalError::storage)?);
        Ok(Self { name: table.name, file, count: 0 })
    }

    fn write(&mut self, row: Row) -> Result<(), JournalError> {
        let values: Vec<Value> = row.into_cells().into_iter().map(encode).collect();
        self.count += 1;
        writeln!(self.file, "{}", Value::from(values)).map_err(JournalError::storage)
    }

    fn finish(mut self) -> Result<u64, JournalError> {
        self.file.flush().map_err(JournalError::storage)?;
        self.file.get_ref().sync_all().map_err(JournalError::storage)?;
        Ok(self.count)
    }
}

fn encode(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(value) => value.into(),
        Cell::Text(text) => text.into(),
        Cell::Bytes(bytes) => json!({ "b": Digest::from_raw(&bytes).as_str() }),
    }
}

fn decode(line: &str, path: &Path, number: u64) -> Result<Vec<Cell>, JournalError> {
    let wrong =
        |what: &str| JournalError::Corrupt(format!("{} line {number}: {what}", path.display()));
    let values: Vec<Value> =
        serde_json::from_str(line).map_err(|fault| wrong(&fault.to_string()))?;
    values
        .into_iter()
        .map(|value| match value {
            Value::Null => Ok(Cell::Null),
            Value::String(text) => Ok(Cell::Text(text)),
            Value::Number(number) => {
                number.as_i64().map(Cell::Int).ok_or_else(|| wrong("a number that is no integer"))
            },
            Value::Object(object) => object
                .get("b")
                .and_then(Value::as_str)
                .and_then(unhex)
                .map(Cell::Bytes)
                .ok_or_else(|| wrong("bytes that are not hexadecimal")),
            Value::Bool(_) | Value::Array(_) => Err(wrong("a value of no known kind")),
        })
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

fn copy_objects(from: &dyn Objects, to: &Path) -> Result<(u64, u64), JournalError> {
    let target = LocalObjects::open(to)?;
    let (mut count, mut bytes) = (0, 0);
    for info in from.list()? {
        match from.local_path(&info.digest)? {
            Some(path) => target.link(&path, &info.digest)?,
            None => {
                if let Some(content) = from.get(&info.digest)? {
                    target.put(&content)?;
                }
            },
        }
        count += 1;
        bytes += info.bytes;
    }
    Ok((count, bytes))
}

fn put_objects(from: &Path, to: &dyn Objects) -> Result<(), JournalError> {
    let source = LocalObjects::open(from)?;
    for info in source.list()? {
        let content = source.get(&info.digest)?.unwrap_or_default();
        if to.put(&content)? != info.digest {
            return Err(JournalError::Corrupt(format!("object {} is damaged", info.digest)));
        }
    }
    Ok(())
}

fn write_manifest(
    directory: &Path,
    database: &str,
    report: &BackupReport,
) -> Result<(), JournalError> {
    let manifest = json!({
        "format": FORMAT,
        "database": database,
        "rows": report.rows,
        "objects": report.objects,
        "object_bytes": report.object_bytes,
    });
    let mut file = File::create(manifest_path(directory)).map_err(JournalError::storage)?;
    writeln!(file, "{manifest:#}").map_err(JournalError::storage)?;
    file.sync_all().map_err(JournalError::storage)?;
    let folder = File::open(directory).map_err(JournalError::storage)?;
    folder.sync_all().map_err(JournalError::storage)
}

fn manifest_path(directory: &Path) -> PathBuf {
    directory.join("manifest.json")
}

fn read_manifest(directory: &Path) -> Result<BackupReport, JournalError> {
    let path = manifest_path(directory);
    let unusable = |why: String| JournalError::Unusable(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(&path)
        .map_err(|error| unusable(format!("no finished backup is here ({error})")))?;
    let manifest: Value =
        serde_json::from_str(&text).map_err(|fault| unusable(fault.to_string()))?;
    if manifest["format"] != FORMAT {
        return Err(unusable(format!("its format is {}, known is {FORMAT}", manifest["format"])));
    }
    let rows = serde_json::from_value(manifest["rows"].clone())
        .map_err(|fault| unusable(fault.to_string()))?;
    Ok(BackupReport {
        rows,
        objects: manifest["objects"].as_u64().unwrap_or(0),
        object_bytes: manifest["object_bytes"].as_u64().unwrap_or(0),
    })
}
