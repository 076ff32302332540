//! The order of a list of hosts, and its cursor, as clients write them.

use serde_json::Value;
use store::{Direction, HostCursor, HostId, HostOrder, HostSort, OrderValue};

use super::{AppError, RefusalKind};

/// The order that a client asks for: a word of [`HostSort`], with `-` before it from the other end.
pub(super) fn order(text: Option<&str>) -> Result<HostOrder, AppError> {
    let Some(text) = text else { return Ok(HostOrder::default()) };
    let (word, direction) = match text.strip_prefix('-') {
        Some(word) => (word, Direction::Descending),
        None => (text, Direction::Ascending),
    };
    let Some(by) = HostSort::from_word(word) else {
        let known = api::inventory::HOST_SORTS.join(", ");
        let title = format!("hosts are sorted by one of: {known}; with - before it backwards");
        return Err(AppError::plain(RefusalKind::Invalid, "query-invalid", title));
    };
    Ok(HostOrder { by, direction })
}

fn order_to_text(order: HostOrder) -> String {
    match order.direction {
        Direction::Ascending => order.by.to_string(),
        Direction::Descending => format!("-{}", order.by),
    }
}

/// Where a list of `order` goes on.
pub(super) fn cursor(text: Option<&str>, order: HostOrder) -> Result<Option<HostCursor>, AppError> {
    let Some(text) = text else { return Ok(None) };
    let cursor = cursor_from_text(text).ok_or_else(super::cursor::invalid)?;
    if cursor.order != order {
        return Err(AppError::refused(
            RefusalKind::Invalid,
            "cursor-invalid",
            format!(
                "this cursor is of a list that is sorted by {}, not by {}",
                order_to_text(cursor.order),
                order_to_text(order)
            ),
            "begin at the first page of the other order: leave the cursor out",
        ));
    }
    Ok(Some(cursor))
}

/// A cursor as clients see it: opaque, so that it may change.
pub(super) fn cursor_to_text(cursor: &HostCursor) -> String {
    let values: Vec<Value> = cursor
        .values
        .iter()
        .map(|value| match value {
            OrderValue::Number(number) => Value::from(*number),
            OrderValue::Text(text) => Value::from(text.as_str()),
        })
        .collect();
    let said = serde_json::json!([order_to_text(cursor.order), values, cursor.id.as_str()]);
    hex::encode(said.to_string())
}

fn cursor_from_text(text: &str) -> Option<HostCursor> {
    let (order_text, values, id): (String, Vec<Value>, String) =
        serde_json::from_slice(&hex::decode(text).ok()?).ok()?;
    let value = |value: &Value| match value {
        Value::Number(number) => Some(OrderValue::Number(number.as_i64()?)),
        // Names and models have no such character, and PostgreSQL knows no text with it.
        Value::String(text) if !text.contains('\0') => Some(OrderValue::Text(text.clone())),
        _ => None,
    };
    let cursor = HostCursor {
        order: order(Some(&order_text)).ok()?,
        values: values.iter().map(value).collect::<Option<_>>()?,
        id: HostId::from(id),
    };
    (cursor.is_sound() && !cursor.id.as_str().contains('\0')).then_some(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::standing::sample::host;

    #[test]
    fn a_cursor_survives_any_name() {
        let host = store::Host { name: "a\nb \u{fc}\"".to_owned(), ..host() };
        for by in HostSort::ALL {
            for direction in [Direction::Ascending, Direction::Descending] {
                let order = HostOrder { by, direction };
                let known = host.cursor(order);
                let text = cursor_to_text(&known);
                assert_eq!(cursor(Some(&text), order).ok().flatten(), Some(known));
            }
        }
        assert_eq!(cursor(None, HostOrder::default()).ok(), Some(None));
    }

    #[test]
    fn a_cursor_that_somebody_made_up_is_none() {
        let made = [
            r#"["name",["a"],"h\u0000"]"#,
            r#"["name",["a\u0000"],"h"]"#,
            r#"["name",[1],"h"]"#,
            r#"["name",[],"h"]"#,
            r#"["judged",["1"],"h"]"#,
            r#"["verdict",[1],"h"]"#,
            r#"["model",["a","b","c"],"h"]"#,
            r#"["joined",[1.5],"h"]"#,
            r#"["nothing",["a"],"h"]"#,
            r#"["name",["a"]]"#,
            "{}",
            "",
        ];
        for text in made {
            assert_eq!(cursor_from_text(&hex::encode(text)), None, "{text}");
        }
        assert_eq!(cursor_from_text("zz"), None);
        assert!(cursor_from_text(&hex::encode(r#"["name",["a"],"h"]"#)).is_some());
    }

    #[test]
    fn a_cursor_goes_on_in_its_own_order_alone() {
        let order = |text| order(Some(text)).ok().unwrap();
        let text = cursor_to_text(&host().cursor(order("judged")));
        assert!(cursor(Some(&text), order("judged")).is_ok());
        for other in ["name", "-judged", "seen"] {
            assert!(cursor(Some(&text), order(other)).is_err(), "{other}");
        }
    }

    #[test]
    fn clients_know_each_order() {
        assert_eq!(HostSort::ALL.map(HostSort::as_str), api::inventory::HOST_SORTS);
        for wrong in ["", "-", "Name", "--name", "name,id", "+name"] {
            assert!(order(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
