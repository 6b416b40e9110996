//! A document as a tree of places: for every path the line and the column where its value begins. It knows no flow.

use std::fmt;

use domain::flow::check::{Path, Step};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A place in a text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

impl Place {
    /// Where the library says that something is; `None` where it does not know.
    pub fn of(location: serde_saphyr::Location) -> Option<Self> {
        (location.line() > 0).then(|| Self { line: location.line(), column: location.column() })
    }
}

/// A value, and where it begins.
#[derive(Clone, Debug)]
pub struct Located {
    place: Option<Place>,
    node: Node,
}

#[derive(Clone, Debug)]
enum Node {
    Scalar,
    List(Vec<Located>),
    Map(Vec<(String, Option<Place>, Located)>),
}

impl Located {
    /// Where the value of a path begins, or of the longest part of the path that is there.
    pub fn place(&self, path: &Path) -> Option<Place> {
        let mut here = self;
        let mut place = self.place;
        for step in &path.0 {
            let next = match (&here.node, step) {
                (Node::Map(entries), Step::Key(key)) => {
                    // The key is what the eye finds; its value may begin a line later.
                    entries.iter().find(|(name, ..)| name == key).map(|(_, at, value)| (at.or(value.place), value))
                }
                (Node::List(entries), Step::Index(index)) => entries.get(*index).map(|value| (value.place, value)),
                (Node::Scalar | Node::List(_) | Node::Map(_), _) => None,
            };
            let Some((at, value)) = next else {
                break;
            };
            (place, here) = (at.or(place), value);
        }
        place
    }

    /// The path itself where a map is there, and otherwise of the map that it is in.
    pub fn map_of(&self, mut path: Path) -> Path {
        while !path.0.is_empty() && !self.is_map(&path) {
            path.0.pop();
        }
        path
    }

    fn is_map(&self, path: &Path) -> bool {
        let inside = path.0.iter().try_fold(self, |here, step| match (&here.node, step) {
            (Node::Map(entries), Step::Key(key)) => entries.iter().find(|(name, ..)| name == key).map(|(.., value)| value),
            (Node::List(entries), Step::Index(index)) => entries.get(*index),
            (Node::Scalar | Node::List(_) | Node::Map(_), _) => None,
        });
        inside.is_some_and(|value| matches!(value.node, Node::Map(_)))
    }

    /// The path of the innermost value that begins at a place or before it, as near as can be.
    pub fn path(&self, place: Place) -> Path {
        let mut best = (self.place, Path::default());
        self.nearest(place, &Path::default(), &mut best);
        best.1
    }

    fn nearest(&self, wanted: Place, path: &Path, best: &mut (Option<Place>, Path)) {
        if let Some(at) = self.place
            && at <= wanted
            && best.0.is_none_or(|before| before <= at)
        {
            *best = (self.place, path.clone());
        }
        match &self.node {
            Node::Scalar => {}
            Node::List(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    entry.nearest(wanted, &path.index(index), best);
                }
            }
            Node::Map(entries) => {
                for (key, at, value) in entries {
                    let here = path.key(key);
                    if let Some(at) = *at
                        && at <= wanted
                        && best.0.is_none_or(|before| before <= at)
                    {
                        *best = (Some(at), here.clone());
                    }
                    value.nearest(wanted, &here, best);
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Located {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Node>::deserialize(deserializer)?;
        Ok(Self { place: Place::of(spanned.referenced), node: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

/// Values of scalars are of no interest here.
macro_rules! scalars {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E>(self, _: $type) -> Result<Node, E> {
            Ok(Node::Scalar)
        })*
    };
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(Node::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let place = Place::of(key.referenced);
            entries.push((key.value, place, map.next_value()?));
        }
        Ok(Node::Map(entries))
    }
}
