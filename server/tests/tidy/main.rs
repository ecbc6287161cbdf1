//! Project rules that the compiler does not check: dependencies between crates (DESIGN §1), file
//! sizes, use of features, paths in documents. Each rule is a function from a text to its findings.
//! One test checks that it detects a violation, another applies it to the sources.

#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod features;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod size;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod words;
