//! Which of a tenant's articles a customer's question is about, and how sure that is.
//!
//! A [`Model`] is trained from the articles' phrasings in memory, in seconds, and answers in microseconds. Training has no random
//! numbers: the same articles always give the same model. It must not know where articles are kept, who asks, or what is replied.
//!
//! Read on in this order: `text` (folding, words), `speller` (slips), `grams` (what a text is compared by; with `spelling` and
//! `concepts`), `vocabulary` (weights of grams; with `background`), `linear` (one score per article; with `bayes`), `evidence` (what a
//! score says), `held_out` (questions with known outcome), `calibration` (evidence into confidence; with `reference`), `model` (all of
//! it together; with `exact` and `packed`).

mod background;
mod bayes;
mod calibration;
mod concepts;
mod evidence;
mod exact;
mod grams;
mod held_out;
mod linear;
mod model;
mod packed;
mod phrasing;
mod reference;
mod speller;
mod spelling;
mod text;
mod trained;
mod vocabulary;

pub use calibration::Outcome;
pub use evidence::Evidence;
pub use held_out::held_out_outcomes;
pub use model::{MATCHES_MAX, Match, Model};
pub use phrasing::Article;
pub use text::TEXT_CHARACTERS_MAX;
