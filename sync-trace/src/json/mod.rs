//! Writing JSON into a string: what the run directory and [`Finding::to_json`] consist of.
//!
//! Only what is known is written: there is no `null`, and a flag that is not set is not there. The
//! [words](mod@words) for what this crate's types mean are part of the format in `docs/run-directory.md`,
//! so they never change.
//!
//! [`Finding::to_json`]: crate::Finding::to_json

mod words;

pub(crate) use words::Seed;

use std::fmt::Write;

/// What can be written as a value.
pub(crate) trait Value {
    /// Writes it behind `out`.
    fn write(&self, out: &mut String);
}

/// An object that is being written.
pub(crate) struct Object<'o> {
    out: &'o mut String,
    is_empty: bool,
}

impl Object<'_> {
    /// Writes an object with these `members` behind `out`.
    pub(crate) fn write(out: &mut String, members: impl FnOnce(&mut Object<'_>)) {
        out.push('{');
        let mut object = Object { out, is_empty: true };
        members(&mut object);
        object.out.push('}');
    }

    /// A member.
    pub(crate) fn member(&mut self, name: &str, value: impl Value) -> &mut Self {
        value.write(self.begin(name));
        self
    }

    /// A member, if it is known.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<impl Value>) -> &mut Self {
        match value {
            Some(value) => self.member(name, value),
            None => self,
        }
    }

    /// A member that is there or not.
    pub(crate) fn flag(&mut self, name: &str, is_set: bool) -> &mut Self {
        if is_set {
            self.begin(name).push_str("true");
        }
        self
    }

    /// A member that is an object.
    pub(crate) fn object(
        &mut self,
        name: &str,
        members: impl FnOnce(&mut Object<'_>),
    ) -> &mut Self {
        Object::write(self.begin(name), members);
        self
    }

    /// A member that is a list.
    pub(crate) fn list(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = impl Value>,
    ) -> &mut Self {
        write_list(self.begin(name), values);
        self
    }

    /// Writes what stands before a member's value.
    fn begin(&mut self, name: &str) -> &mut String {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.push(',');
        }
        write_text(self.out, name);
        self.out.push(':');
        self.out
    }
}

/// Writes a list behind `out`.
fn write_list(out: &mut String, values: impl IntoIterator<Item = impl Value>) {
    out.push('[');
    for (at, value) in values.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        value.write(out);
    }
    out.push(']');
}

/// Writes a string behind `out`, in one line whatever is in it.
fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        // All of these are one byte long, so this cuts between characters.
        out.push_str(&text[written..at]);
        written = at + 1;
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            _ => _ = write!(out, "\\u{byte:04x}"),
        }
    }
    out.push_str(&text[written..]);
    out.push('"');
}

impl Value for &str {
    fn write(&self, out: &mut String) {
        write_text(out, self);
    }
}

impl Value for &String {
    fn write(&self, out: &mut String) {
        write_text(out, self);
    }
}

/// A list of lists.
impl<V> Value for &Vec<V>
where
    for<'v> &'v V: Value,
{
    fn write(&self, out: &mut String) {
        write_list(out, *self);
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Value for $integer {
            fn write(&self, out: &mut String) {
                // To write into a string does not fail.
                let _ = write!(out, "{self}");
            }
        }
    )*};
}
integers!(u32, u64, usize, i32);

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        let mut out = String::new();
        text.write(&mut out);
        out
    }

    #[test]
    fn any_text_stands_on_one_line() {
        assert_eq!(text("src/bank.rs"), r#""src/bank.rs""#);
        assert_eq!(text("a\"b\\c\nd\te"), r#""a\"b\\c\nd\te""#);
        assert_eq!(text("\u{0}\u{1b}[0m\r"), r#""\u0000\u001b[0m\u000d""#);
        assert_eq!(text("Käse → 🧀\u{2028}"), "\"Käse → 🧀\u{2028}\"");
        assert_eq!(text("\"ä\""), r#""\"ä\"""#);
    }

    #[test]
    fn only_what_is_known_is_a_member() {
        let mut out = String::from("> ");
        Object::write(&mut out, |object| {
            object.maybe("missing", None::<u64>).flag("unset", false);
            object.member("number", u64::MAX).flag("set", true).maybe("text", Some("x"));
            object.list("list", [1_u64, 2]).list("empty", [""; 0]).object("inner", |_| {});
        });
        let expected = r#"{"number":18446744073709551615,"set":true,"text":"x","list":[1,2],"empty":[],"inner":{}}"#;
        assert_eq!(out, format!("> {expected}"));
    }
}
