//! Rows as lines of JSON: a line says the table and its columns, one line each row follows. Bytes are in
//! base64; a column that holds bytes is marked as such, so a text is never taken for them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use store::portable::{Column, ColumnKind, Table, Value};

/// The first line of a part.
#[derive(Serialize, Deserialize)]
struct Head {
    table: String,
    columns: Vec<(String, Kind)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Integer,
    Text,
    Bytes,
}

/// The first line of a part with rows of `table`.
pub(crate) fn head(table: &Table) -> Result<String, serde_json::Error> {
    let columns = table.columns.iter().map(|Column { name, kind }| {
        let kind = match kind {
            ColumnKind::Integer => Kind::Integer,
            ColumnKind::Text => Kind::Text,
            ColumnKind::Bytes => Kind::Bytes,
        };
        (name.clone(), kind)
    });
    let head = Head { table: table.name.clone(), columns: columns.collect() };
    Ok(serde_json::to_string(&head)? + "\n")
}

/// The table of a first line.
pub(crate) fn table(line: &[u8]) -> Result<Table, serde_json::Error> {
    let Head { table, columns } = serde_json::from_slice(line)?;
    let columns = columns.into_iter().map(|(name, kind)| {
        let kind = match kind {
            Kind::Integer => ColumnKind::Integer,
            Kind::Text => ColumnKind::Text,
            Kind::Bytes => ColumnKind::Bytes,
        };
        Column { name, kind }
    });
    Ok(Table { name: table, columns: columns.collect() })
}

/// Appends the line of a row.
pub(crate) fn append(line: &mut Vec<u8>, row: &[Value]) -> Result<(), serde_json::Error> {
    let values = row.iter().map(|value| match value {
        Value::Null => Json::Null,
        Value::Integer(number) => Json::from(*number),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Bytes(bytes) => Json::from(STANDARD.encode(bytes)),
    });
    serde_json::to_writer(&mut *line, &values.collect::<Vec<_>>())?;
    line.push(b'\n');
    Ok(())
}

/// The row of a line, with a value for each column, of its kind.
pub(crate) fn row(line: &[u8], table: &Table) -> Result<Vec<Value>, String> {
    let values: Vec<Json> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if values.len() != table.columns.len() {
        return Err(format!("{} values for {} columns", values.len(), table.columns.len()));
    }
    let value = |(value, column): (Json, &Column)| match (value, column.kind) {
        (Json::Null, _) => Ok(Value::Null),
        (Json::Number(number), ColumnKind::Integer) => {
            number.as_i64().map(Value::Integer).ok_or_else(|| format!("{number} is too large"))
        }
        (Json::String(text), ColumnKind::Text) => Ok(Value::Text(text)),
        (Json::String(text), ColumnKind::Bytes) => {
            STANDARD.decode(text).map(Value::Bytes).map_err(|error| error.to_string())
        }
        _ => Err(format!("a value of {} is of another kind", column.name)),
    };
    values.into_iter().zip(&table.columns).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        Table {
            name: "t".to_owned(),
            columns: vec![
                column("n", ColumnKind::Integer),
                column("s", ColumnKind::Text),
                column("b", ColumnKind::Bytes),
            ],
        }
    }

    #[test]
    fn rows_come_back_as_they_went() {
        let read = table(head(&sample()).unwrap().as_bytes()).unwrap();
        assert_eq!(read, sample());
        for row_of in [
            vec![Value::Null, Value::Null, Value::Null],
            vec![
                Value::Integer(i64::MIN),
                Value::Text("\n\"\u{0}\u{202e}ä".to_owned()),
                Value::Bytes((0..=255).collect()),
            ],
            vec![Value::Integer(i64::MAX), Value::Text(String::new()), Value::Bytes(Vec::new())],
        ] {
            let mut line = Vec::new();
            append(&mut line, &row_of).unwrap();
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
            assert_eq!(row(&line, &sample()).unwrap(), row_of);
        }
    }

    #[test]
    fn what_is_no_row_of_the_table_is_refused() {
        for line in [
            "",
            "{}",
            "[]",
            "[1,\"\"]",
            "[1,\"\",\"\",1]",
            "[1.5,\"\",\"\"]",
            "[\"1\",\"\",\"\"]",
            "[1,2,\"\"]",
            "[1,\"\",\"*\"]",
            "[9223372036854775808,\"\",\"\"]",
            "[1,\"\",\"\"] 1",
        ] {
            assert!(row(line.as_bytes(), &sample()).is_err(), "{line}");
        }
    }
}
