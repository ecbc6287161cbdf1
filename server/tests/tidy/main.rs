//! The house rules that no compiler holds: who may import whom (DESIGN §1), how long a file may be, where features
//! are switched, what the documents claim. Each rule is a function from a text to its findings, and has a test that
//! it finds something; a second test applies it to the sources.

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
