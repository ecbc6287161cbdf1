//! The built pages: one directory named by a hash of its contents, so that every file in it is
//! immutable (DESIGN §7).

use anyhow::{Context as _, Result};
use leptos::config::LeptosOptions;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Location of the built pages.
#[derive(Debug, Clone)]
pub struct Site {
    root: PathBuf,
    /// `pkg/<hash>`.
    package: String,
}

impl Site {
    /// Finds the site in `configured`, or next to the binary's build.
    ///
    /// # Errors
    /// Fails if there is no build, or more than one.
    pub fn find(configured: Option<&Path>) -> Result<Self> {
        let root = match configured {
            Some(root) => root.to_owned(),
            None => beside_the_build()?,
        };
        let packages = root.join("pkg");
        let help = || {
            format!(
                "{}: no built pages found; run “make build” or set IZANAGI_SITE_ROOT",
                packages.display()
            )
        };
        let mut found = std::fs::read_dir(&packages).with_context(help)?.filter_map(|entry| {
            let entry = entry.ok()?;
            let is_folder = entry.file_type().ok()?.is_dir();
            is_folder.then(|| entry.file_name().to_string_lossy().into_owned())
        });
        let hash = found.next().with_context(help)?;
        anyhow::ensure!(
            found.next().is_none(),
            "{}: contains more than one build",
            packages.display()
        );
        Ok(Self { root, package: format!("pkg/{hash}") })
    }

    /// Returns the site's root directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the URL path of the style sheet.
    pub(crate) fn style_sheet(&self) -> String {
        format!("/{}/main.css", self.package)
    }

    pub(crate) fn leptos_options(&self, listen: SocketAddr) -> LeptosOptions {
        LeptosOptions::builder()
            .output_name("izanagi")
            .site_root(self.root.to_string_lossy().into_owned())
            .site_pkg_dir(self.package.clone())
            .site_addr(listen)
            .build()
    }
}

/// Returns `target/site` for the binary `target/release/izanagi`.
fn beside_the_build() -> Result<PathBuf> {
    let binary = std::env::current_exe().context("cannot find the path of the binary")?;
    let target =
        binary.parent().and_then(Path::parent).context("the binary is not in a build directory")?;
    Ok(target.join("site"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_only_build_in_the_site() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Site::find(Some(dir.path())).is_err());
        std::fs::create_dir_all(dir.path().join("pkg/abc")).unwrap();
        assert_eq!(Site::find(Some(dir.path())).unwrap().package, "pkg/abc");
        std::fs::create_dir_all(dir.path().join("pkg/def")).unwrap();
        assert!(Site::find(Some(dir.path())).is_err());
    }
}
