//! The structure of the document, for readers that do not see pages: which text is a heading, which a cell.

use krilla::tagging::{Identifier, Node, TagGroup, TagKind, TagTree};

/// A group of the structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group(usize);

/// A piece of text on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf(usize);

enum Child {
    Group(Group),
    Leaf(Leaf),
}

/// The structure while pages are drawn: what a leaf is called is known once its page is.
#[derive(Default)]
pub(super) struct Tags {
    groups: Vec<(TagKind, Vec<Child>)>,
    roots: Vec<Group>,
    leaves: Vec<Option<Identifier>>,
}

impl Tags {
    pub(super) fn root(&mut self, tag: impl Into<TagKind>) -> Group {
        let group = self.add(tag.into());
        self.roots.push(group);
        group
    }

    pub(super) fn group(&mut self, parent: Group, tag: impl Into<TagKind>) -> Group {
        let group = self.add(tag.into());
        self.children(parent, Child::Group(group));
        group
    }

    pub(super) fn leaf(&mut self, parent: Group) -> Leaf {
        let leaf = Leaf(self.leaves.len());
        self.leaves.push(None);
        self.children(parent, Child::Leaf(leaf));
        leaf
    }

    pub(super) fn name(&mut self, leaf: Leaf, identifier: Identifier) {
        if let Some(place) = self.leaves.get_mut(leaf.0) {
            *place = Some(identifier);
        }
    }

    fn add(&mut self, tag: TagKind) -> Group {
        self.groups.push((tag, Vec::new()));
        Group(self.groups.len().saturating_sub(1))
    }

    fn children(&mut self, parent: Group, child: Child) {
        if let Some((_, children)) = self.groups.get_mut(parent.0) {
            children.push(child);
        }
    }

    pub(super) fn into_tree(mut self) -> TagTree {
        let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
        for root in std::mem::take(&mut self.roots) {
            if let Some(node) = self.node(root) {
                tree.push(node);
            }
        }
        tree
    }

    /// Four deep at most: table, its body, a row, a cell.
    fn node(&mut self, group: Group) -> Option<Node> {
        let slot = self.groups.get_mut(group.0)?;
        let children = std::mem::take(&mut slot.1);
        let mut made = TagGroup::new(slot.0.clone());
        for child in children {
            match child {
                Child::Group(group) => {
                    if let Some(node) = self.node(group) {
                        made.push(node);
                    }
                }
                Child::Leaf(leaf) => {
                    if let Some(identifier) = self.leaves.get_mut(leaf.0).and_then(Option::take) {
                        made.push(identifier);
                    }
                }
            }
        }
        Some(made.into())
    }
}
