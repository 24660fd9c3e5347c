//! A store as a stream of rows: what an export holds under its encryption. The form is written
//! down in `docs/export-format.md`.
//!
//! Tables and columns are named in the stream, so a reader of a later layout can still place
//! them, and a table that is added to the layout is exported without a change here.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Transaction, params_from_iter};

use super::schema::LAYOUT;
use super::{StoreError, failed};

/// Longest name or value that is read.
const MAX_VALUE: u32 = 64 << 20;

/// Most columns of a table.
const MAX_COLUMNS: u16 = 100;

const END: u8 = 0;
const TABLE: u8 = 1;
const ROW: u8 = 2;

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const TEXT: u8 = 2;
const BLOB: u8 = 3;

/// Why rows could not be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DumpError {
    /// Reading or writing the stream failed.
    #[error("the stream failed: {0}")]
    Io(#[from] std::io::Error),
    /// The stream is no dump.
    #[error("the rows are malformed: {0}")]
    Malformed(&'static str),
    /// It has a newer layout than this version knows.
    #[error("the rows have a newer layout: {0}")]
    TooNew(u32),
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tables whose rows belong to the file, not to the link: the index of words is made anew.
const OF_THE_FILE: &[&str] = &["origin", "archive_state"];

fn tables(transaction: &Transaction<'_>) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND name NOT LIKE 'message\\_words%' ESCAPE '\\' ORDER BY rowid";
    let mut statement = transaction.prepare(sql).map_err(failed)?;
    let names = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
    let names = names.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    Ok(names.into_iter().filter(|name| !OF_THE_FILE.contains(&name.as_str())).collect())
}

/// Writes all rows.
pub(super) fn write(transaction: &Transaction<'_>, out: &mut impl Write) -> Result<(), DumpError> {
    out.write_all(&LAYOUT.to_be_bytes())?;
    let mut written = 0_u64;
    for table in tables(transaction)? {
        let mut statement = transaction.prepare(&format!("SELECT * FROM {table}")).map_err(failed)?;
        out.write_all(&[TABLE])?;
        put_name(out, &table)?;
        let columns = statement.column_count();
        out.write_all(&u16::try_from(columns).unwrap_or(u16::MAX).to_be_bytes())?;
        for column in statement.column_names() {
            put_name(out, column)?;
        }
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            out.write_all(&[ROW])?;
            for column in 0..columns {
                put_value(out, row.get_ref(column).map_err(failed)?)?;
            }
            written += 1;
        }
    }
    out.write_all(&[END])?;
    out.write_all(&written.to_be_bytes())?;
    Ok(())
}

fn put_name(out: &mut impl Write, name: &str) -> Result<(), DumpError> {
    out.write_all(&[u8::try_from(name.len()).map_err(|_| DumpError::Malformed("a name is too long"))?])?;
    Ok(out.write_all(name.as_bytes())?)
}

fn put_value(out: &mut impl Write, value: ValueRef<'_>) -> Result<(), DumpError> {
    let mut bytes = |kind: u8, bytes: &[u8]| -> Result<(), DumpError> {
        let len = u32::try_from(bytes.len()).ok().filter(|len| *len <= MAX_VALUE);
        let len = len.ok_or(DumpError::Malformed("a value is too long"))?;
        out.write_all(&[kind])?;
        out.write_all(&len.to_be_bytes())?;
        Ok(out.write_all(bytes)?)
    };
    match value {
        ValueRef::Null => Ok(out.write_all(&[NULL])?),
        ValueRef::Integer(number) => {
            out.write_all(&[INTEGER])?;
            Ok(out.write_all(&number.to_be_bytes())?)
        }
        ValueRef::Text(text) => bytes(TEXT, text),
        ValueRef::Blob(blob) => bytes(BLOB, blob),
        ValueRef::Real(_) => Err(DumpError::Malformed("a value is no integer, text or blob")),
    }
}

/// Reads rows into a fresh store.
pub(super) fn read(transaction: &Transaction<'_>, input: &mut impl Read) -> Result<(), DumpError> {
    let layout = u32::from_be_bytes(take(input)?);
    if layout == 0 {
        return Err(DumpError::Malformed("there is no layout"));
    }
    if layout > LAYOUT {
        return Err(DumpError::TooNew(layout));
    }
    let known = tables(transaction)?;
    let mut seen = BTreeSet::new();
    let mut table: Option<Table<'_>> = None;
    let mut count = 0_u64;
    loop {
        match take::<1>(input)? {
            [TABLE] => {
                let found = Table::read(transaction, input, &known)?;
                if !seen.insert(found.0.clone()) {
                    return Err(DumpError::Malformed("a table comes twice"));
                }
                table = Some(found.1);
            }
            [ROW] => {
                let table = table.as_mut().ok_or(DumpError::Malformed("a row is in no table"))?;
                let values = (0..table.columns).map(|_| take_value(input)).collect::<Result<Vec<_>, _>>()?;
                table.insert.execute(params_from_iter(values)).map_err(refused)?;
                count += 1;
            }
            [END] => break,
            [_] => return Err(DumpError::Malformed("a record has an unknown kind")),
        }
    }
    if u64::from_be_bytes(take(input)?) != count {
        return Err(DumpError::Malformed("rows are missing"));
    }
    let mut rest = [0];
    if input.read(&mut rest)? != 0 {
        return Err(DumpError::Malformed("something follows the end"));
    }
    Ok(())
}

/// Values that the layout does not take are the stream's fault.
fn refused(error: rusqlite::Error) -> DumpError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch) => {
            DumpError::Malformed("a row does not fit its table")
        }
        _ => DumpError::Store(failed(error)),
    }
}

struct Table<'a> {
    columns: u16,
    insert: rusqlite::Statement<'a>,
}

impl<'a> Table<'a> {
    fn read(
        transaction: &'a Transaction<'_>,
        input: &mut impl Read,
        known: &[String],
    ) -> Result<(String, Self), DumpError> {
        let name = take_name(input)?;
        if !known.contains(&name) {
            return Err(DumpError::Malformed("a table is unknown"));
        }
        let columns = u16::from_be_bytes(take(input)?);
        if columns == 0 || columns > MAX_COLUMNS {
            return Err(DumpError::Malformed("a table has no columns"));
        }
        // Only names that the layout has get into the statement.
        let has: Vec<String> = {
            let statement = transaction.prepare(&format!("SELECT * FROM {name}")).map_err(failed)?;
            statement.column_names().map(str::to_owned).collect()
        };
        let mut names = BTreeSet::new();
        let mut ordered = Vec::new();
        for _ in 0..columns {
            let column = take_name(input)?;
            if !has.contains(&column) || !names.insert(column.clone()) {
                return Err(DumpError::Malformed("a column is unknown"));
            }
            ordered.push(column);
        }
        let places: Vec<String> = (1..=columns).map(|place| format!("?{place}")).collect();
        let sql =
            format!("INSERT OR REPLACE INTO {name} ({}) VALUES ({})", ordered.join(", "), places.join(", "));
        let insert = transaction.prepare(&sql).map_err(failed)?;
        Ok((name, Self { columns, insert }))
    }
}

fn take<const N: usize>(input: &mut impl Read) -> Result<[u8; N], DumpError> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes).map_err(cut)?;
    Ok(bytes)
}

/// The end in the middle is the stream's fault; other errors are not.
fn cut(error: std::io::Error) -> DumpError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => DumpError::Malformed("it ends in the middle"),
        _ => DumpError::Io(error),
    }
}

fn take_name(input: &mut impl Read) -> Result<String, DumpError> {
    let [len] = take(input)?;
    take_text(input, u32::from(len))
}

fn take_bytes(input: &mut impl Read, len: u32) -> Result<Vec<u8>, DumpError> {
    if len > MAX_VALUE {
        return Err(DumpError::Malformed("a value is too long"));
    }
    // The length is the stream's word: memory grows with what is really there.
    let mut bytes = Vec::new();
    let got = input.take(u64::from(len)).read_to_end(&mut bytes)?;
    if u32::try_from(got) == Ok(len) { Ok(bytes) } else { Err(DumpError::Malformed("it ends in the middle")) }
}

fn take_text(input: &mut impl Read, len: u32) -> Result<String, DumpError> {
    String::from_utf8(take_bytes(input, len)?).map_err(|_| DumpError::Malformed("a text is not UTF-8"))
}

fn take_value(input: &mut impl Read) -> Result<Value, DumpError> {
    match take::<1>(input)? {
        [NULL] => Ok(Value::Null),
        [INTEGER] => Ok(Value::Integer(i64::from_be_bytes(take(input)?))),
        [TEXT] => {
            let len = u32::from_be_bytes(take(input)?);
            Ok(Value::Text(take_text(input, len)?))
        }
        [BLOB] => {
            let len = u32::from_be_bytes(take(input)?);
            Ok(Value::Blob(take_bytes(input, len)?))
        }
        [_] => Err(DumpError::Malformed("a value has an unknown kind")),
    }
}

/// Reads a stream into a store that exists in memory only; for tests with any bytes.
pub(crate) fn rehearse(mut input: &[u8]) -> Result<(), DumpError> {
    let mut connection = rusqlite::Connection::open_in_memory().map_err(failed)?;
    super::schema::create(&connection)?;
    let transaction = connection.transaction().map_err(failed)?;
    read(&transaction, &mut input)
}
