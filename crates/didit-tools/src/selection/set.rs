//! Sets of tools, and which tools have what in common; worked out once.

use std::collections::HashMap;
use std::sync::LazyLock;

use didit_client::operation::Kind;

use super::wish::{TOOLSETS, Wish};
use crate::catalog::{self, Tool, Visibility};

/// How many words of bits a set has: room for 192 tools; a test counts them.
const WORDS: usize = 3;

/// A set of tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ToolSet([u64; WORDS]);

impl ToolSet {
    /// The tools for which this holds.
    pub(crate) fn of(holds: impl Fn(&Tool) -> bool) -> Self {
        let mut set = Self::default();
        for (at, tool) in catalog::all().enumerate() {
            if holds(tool) {
                set.insert(at);
            }
        }
        set
    }

    fn insert(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(crate) fn has(&self, tool: &Tool) -> bool {
        INDEX
            .get(tool.name)
            .and_then(|at| Some(self.0.get(at / 64)? >> (at % 64) & 1 == 1))
            .unwrap_or(false)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| word(&self, at) & word(&other, at)))
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| word(&self, at) | word(&other, at)))
    }
}

fn word(set: &ToolSet, at: usize) -> u64 {
    set.0.get(at).copied().unwrap_or_default()
}

/// Where each tool is in the catalog.
static INDEX: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let tools = catalog::all().enumerate();
    tools.map(|(at, tool)| (tool.name, at)).collect()
});

/// The sets that a selection is made of.
pub(crate) struct Sets {
    pub(crate) all: ToolSet,
    pub(crate) everywhere: ToolSet,
    pub(crate) reads: ToolSet,
    /// What needs no permission of a role.
    pub(crate) permitted: ToolSet,
    /// What a scope opens, coarse or fine.
    pub(crate) by_scope: HashMap<&'static str, ToolSet>,
    /// What needs a permission.
    pub(crate) by_permission: HashMap<&'static str, ToolSet>,
    /// In the order of [`TOOLSETS`].
    by_toolset: [ToolSet; TOOLSETS.len()],
}

/// The tool that is in every toolset.
const ALWAYS: &str = "didit_context_get";

impl Sets {
    /// What is in one of the toolsets that are named; everything if none is.
    pub(crate) fn of_toolsets(&self, wish: Wish) -> ToolSet {
        if !wish.names_toolsets() {
            return self.all;
        }
        let sets = self.by_toolset.iter().enumerate();
        let named = sets.filter(|(at, _)| wish.names_toolset(*at));
        named.fold(ToolSet::default(), |all, (_, set)| all.or(*set))
    }
}

pub(crate) static SETS: LazyLock<Sets> = LazyLock::new(|| {
    let mut by_scope: HashMap<_, ToolSet> = HashMap::new();
    let mut by_permission: HashMap<_, ToolSet> = HashMap::new();
    for (at, tool) in catalog::all().enumerate() {
        by_scope.entry(tool.fine_scope).or_default().insert(at);
        if let Some(permission) = tool.permission {
            by_permission.entry(permission).or_default().insert(at);
        }
    }
    // A coarse scope opens what the fine ones open that it covers.
    for (coarse, fine) in catalog::scopes() {
        let opened = by_scope.get(fine).copied().unwrap_or_default();
        let all = by_scope.entry(coarse).or_default();
        *all = all.or(opened);
    }
    Sets {
        all: ToolSet::of(|_| true),
        everywhere: ToolSet::of(|tool| tool.visibility == Visibility::Everywhere),
        reads: ToolSet::of(|tool| tool.kind == Kind::Read),
        permitted: ToolSet::of(|tool| tool.permission.is_none()),
        by_scope,
        by_permission,
        by_toolset: TOOLSETS.map(|name| {
            ToolSet::of(|tool| {
                tool.name == ALWAYS
                    || tool.toolsets.contains(&name)
                    || (tool.core && name == "core")
            })
        }),
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_every_tool() {
        assert!(catalog::all().count() <= WORDS * 64);
        let all = ToolSet::of(|_| true);
        let none = ToolSet::default();
        for tool in catalog::all() {
            assert!(all.has(tool) && !none.has(tool), "{}", tool.name);
            let one = ToolSet::of(|other| other.name == tool.name);
            for other in catalog::all() {
                assert_eq!(one.has(other), other.name == tool.name);
            }
            assert_eq!((one.and(all), one.or(none)), (one, one));
        }
    }
}
