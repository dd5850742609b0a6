//! Every library is described where people look: in its README, and in a page of the documentation.

use crate::tidy::Finding;
use crate::tidy::files::TextFile;
use crate::workspace::Workspace;

/// Checks every library of the workspace.
pub(crate) fn check(workspace: &Workspace, files: &[TextFile]) -> Vec<Finding> {
    let libraries = workspace.members().filter(|package| package.is_library());
    libraries
        .flat_map(|package| check_library(&package.name, files))
        .collect()
}

fn check_library(name: &str, files: &[TextFile]) -> Vec<Finding> {
    [
        format!("crates/{name}/README.md"),
        format!("docs/crates/{name}.md"),
    ]
    .into_iter()
    .filter(|path| {
        !files
            .iter()
            .any(|file| file.path == *path && !file.text.trim().is_empty())
    })
    .map(|path| Finding::new(path, format!("the library {name} is not described here")))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    #[test]
    fn a_library_without_a_description_is_found() {
        let (readme, page) = ("crates/a/README.md", "docs/crates/a.md");
        assert!(check_library("a", &[file(readme, "# a\n"), file(page, "# a\n")]).is_empty());
        assert_eq!(
            check_library("a", &[file(readme, "# a\n"), file(page, "\n")]).len(),
            1
        );
        assert_eq!(check_library("a", &[]).len(), 2);
    }
}
