//! The built pages: one folder, named by a hash over everything in it, so that every file in it is
//! immutable (DESIGN §7).

use anyhow::{Context as _, Result};
use leptos::config::LeptosOptions;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Where the built pages are.
#[derive(Debug, Clone)]
pub struct Site {
    root: PathBuf,
    /// `pkg/<hash>`.
    package: String,
}

impl Site {
    /// Finds the site: as told, or beside the binary's build.
    ///
    /// # Errors
    /// There is none, or not exactly one build in it.
    pub fn find(told: Option<&Path>) -> Result<Self> {
        let root = match told {
            Some(root) => root.to_owned(),
            None => beside_the_build()?,
        };
        let packages = root.join("pkg");
        let help = || {
            format!(
                "{}: no built pages there; run “make build” or set IZANAGI_SITE_ROOT",
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
            "{}: more than one build in it",
            packages.display()
        );
        Ok(Self { root, package: format!("pkg/{hash}") })
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The address of the style sheet.
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

/// `target/release/izanagi` has its site in `target/site`.
fn beside_the_build() -> Result<PathBuf> {
    let binary = std::env::current_exe().context("cannot tell where the binary is")?;
    let target = binary.parent().and_then(Path::parent).context("the binary lies in no build")?;
    Ok(target.join("site"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_one_build() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Site::find(Some(dir.path())).is_err());
        std::fs::create_dir_all(dir.path().join("pkg/abc")).unwrap();
        assert_eq!(Site::find(Some(dir.path())).unwrap().package, "pkg/abc");
        std::fs::create_dir_all(dir.path().join("pkg/def")).unwrap();
        assert!(Site::find(Some(dir.path())).is_err());
    }
}
