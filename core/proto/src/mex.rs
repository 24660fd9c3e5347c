//! Numbers under which the service knows the operations of its GraphQL interface (features document
//! §4.1).
//!
//! The numbers change with the releases of the official clients, and old ones go on working for months.
//! So they are data: `data/mex-operations.tsv` has those of every client that is known, newest first.

static TABLE: &str = include_str!("../data/mex-operations.tsv");

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its name, which stays.
    pub name: &'static str,
    /// Whether it changes something.
    pub changes: bool,
    ids: &'static str,
}

impl Operation {
    /// Its numbers, the newest first.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.ids.split(' ')
    }
}

/// All operations, sorted by name.
pub fn operations() -> impl Iterator<Item = Operation> {
    TABLE.lines().skip(1).filter_map(|line| {
        let mut columns = line.split('\t');
        let (name, kind, ids) = (columns.next()?, columns.next()?, columns.next()?);
        Some(Operation { name, changes: kind == "mutation", ids })
    })
}

/// The number to ask an operation by.
#[must_use]
pub fn newest(name: &str) -> Option<&'static str> {
    operations().find(|operation| operation.name == name)?.ids().next()
}

/// The operations that have this number: a few share one, and their variables tell them apart.
pub fn named_by(id: &str) -> impl Iterator<Item = Operation> {
    operations().filter(move |operation| operation.ids().any(|known| known == id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_name_and_numbers() {
        let all: Vec<Operation> = operations().collect();
        assert_eq!(all.len(), TABLE.lines().count() - 1);
        assert!(all.windows(2).all(|pair| pair[0].name < pair[1].name));
        for operation in &all {
            let number = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
            assert!(operation.ids().all(number), "{}", operation.name);
        }
    }

    #[test]
    fn operations_are_found_both_ways() {
        assert_eq!(newest("UpdateGroupProperty"), Some("9418211574894172"));
        assert_eq!(newest("NoSuchThing"), None);
        let old = named_by("24503548349331633").next().unwrap();
        assert_eq!((old.name, old.changes), ("FetchNewChatMessageCappingInfo", false));
        let shared: Vec<&str> = named_by("8621797084555037").map(|operation| operation.name).collect();
        assert_eq!(shared, ["FetchAllNewslettersMetadata", "JoinNewsletter"]);
        assert_eq!(named_by("1").count(), 0);
    }
}
