//! Lists of tools, written out before anybody asks.

use std::sync::{Arc, Mutex, PoisonError};

use mcp_protocol::types::{Items, Tool as Listed};
use serde_json::value::{RawValue, to_raw_value};

use super::set::ToolSet;
use super::{Selection, first, search};
use crate::catalog::{self, Tool};
use crate::tools::Surface;

/// How many lists are kept: a program has one address, and those of a whole team are a handful.
const MAX_LISTS: usize = 16;

/// How long they may be together, in bytes: three lists of everything.
const MAX_BYTES: usize = 1024 * 1024;

/// What decides what a list says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) tools: ToolSet,
    pub(super) classic: bool,
    /// Whether the tool that searches is in it.
    pub(super) searches: bool,
}

/// Every tool as it is listed, and the lists that were asked for lately.
#[derive(Debug)]
pub(crate) struct Lists {
    written: Vec<Written>,
    search: Option<Box<RawValue>>,
    /// The one that was asked for last is last.
    kept: Mutex<Vec<(Key, Arc<RawValue>)>>,
}

/// A tool under its name of today and under its first name.
#[derive(Debug)]
struct Written {
    tool: &'static Tool,
    today: Box<RawValue>,
    first: Option<Box<RawValue>>,
}

impl Lists {
    pub(crate) fn new(surface: Surface) -> Self {
        let write = |tool: &'static Tool, name: &'static str| {
            let shown = crate::handler::shown(tool, name, surface).ok()?;
            to_raw_value(&shown).ok()
        };
        let written = catalog::all().filter_map(|tool| {
            Some(Written {
                tool,
                today: write(tool, tool.name)?,
                first: first(tool.name).and_then(|name| write(tool, name)),
            })
        });
        let search = search::shown();
        Self {
            written: written.collect(),
            search: search.and_then(|shown| to_raw_value(&shown)).ok(),
            kept: Mutex::default(),
        }
    }

    /// The list of a selection.
    ///
    /// One that was asked for lately is given as it is; another is put together of what is written out.
    pub(crate) fn of(&self, selection: &Selection) -> Items<Listed> {
        let key = selection.key();
        let known = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let at = kept.iter().position(|(other, _)| *other == key);
            at.map(|at| {
                let found = kept.remove(at);
                let list = Arc::clone(&found.1);
                kept.push(found);
                list
            })
        };
        match known.or_else(|| self.join(&key)) {
            Some(list) => Items::Rendered(list),
            // Texts that are JSON each are JSON together.
            None => Items::default(),
        }
    }

    fn join(&self, key: &Key) -> Option<Arc<RawValue>> {
        let listed = self.written.iter().filter(|one| key.tools.has(one.tool));
        let texts = listed.map(|one| match &one.first {
            Some(first) if key.classic => first,
            _ => &one.today,
        });
        let search = self.search.iter().filter(|_| key.searches);
        let all: Vec<&Box<RawValue>> = search.chain(texts).collect();
        let list: Arc<RawValue> = to_raw_value(&all).ok().map(Arc::from)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((*key, Arc::clone(&list)));
        let mut room = MAX_BYTES;
        let fits = kept.iter().rev().take(MAX_LISTS).take_while(|(_, list)| {
            let left = room.checked_sub(list.get().len());
            room = left.unwrap_or_default();
            left.is_some()
        });
        let stays = fits.count();
        let goes = kept.len() - stays;
        kept.drain(..goes);
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::{Grants, Permissions, Wish};

    fn selection(query: &str) -> Selection {
        Selection {
            surface: Surface::Http,
            wish: Wish::parse(query).unwrap(),
            grants: Grants::EVERYTHING,
            permissions: Permissions::Off,
        }
    }

    fn kept(lists: &Lists) -> Vec<usize> {
        let kept = lists.kept.lock().unwrap();
        kept.iter().map(|(_, list)| list.get().len()).collect()
    }

    fn text(lists: &Lists, query: &str) -> Arc<RawValue> {
        match lists.of(&selection(query)) {
            Items::Rendered(text) => text,
            Items::Values(_) => panic!("not written out"),
        }
    }

    #[test]
    fn a_list_is_put_together_once() {
        let lists = Lists::new(Surface::Http);
        for query in ["", "toolsets=core", "read_only=true", "names=classic"] {
            let (one, two) = (text(&lists, query), text(&lists, query));
            assert!(Arc::ptr_eq(&one, &two), "{query}");
        }
        // Selections that list the same tools share the list.
        assert!(Arc::ptr_eq(
            &text(&lists, ""),
            &text(&lists, "toolsets=all")
        ));
        assert_eq!(kept(&lists).len(), 4);
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_asked_for_stays() {
        let lists = Lists::new(Surface::Http);
        let core = text(&lists, "toolsets=core");
        let names = &crate::TOOLSETS[1..19];
        for (at, one) in names.iter().enumerate() {
            for two in &names[at + 1..] {
                text(&lists, &format!("toolsets={one},{two}"));
                assert!(Arc::ptr_eq(&core, &text(&lists, "toolsets=core")));
                let kept = kept(&lists);
                assert!(kept.len() <= MAX_LISTS && kept.iter().sum::<usize>() <= MAX_BYTES);
            }
        }
        assert!(kept(&lists).len() > 2);
    }
}
