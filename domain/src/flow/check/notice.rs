//! What is said: in every language that is needed, and not too long.

use super::{Findings, Path, Problem};
use crate::flow::words::{NOTICE_BYTES_MAX, Notice};

impl Findings<'_> {
    pub(super) fn languages(&mut self, path: &Path) {
        let languages = self.languages;
        if languages.is_empty() {
            self.add(path, Problem::Empty);
        }
        self.count(path, languages.len(), 32);
        self.once(path, languages);
    }

    /// A notice is there in the first language, for everybody of whom nothing better is known.
    pub(super) fn notice(&mut self, path: &Path, notice: &Notice) {
        if let Some(first) = self.languages.first()
            && !notice.0.contains_key(first)
        {
            self.add(path, Problem::LanguageMissing(first.clone()));
        }
        for (language, text) in &notice.0 {
            let here = path.key(language.as_str());
            if !self.languages.contains(language) {
                self.add(&here, Problem::LanguageUnknown(language.clone()));
            }
            if text.trim().is_empty() {
                self.add(&here, Problem::Blank);
            }
            if text.len() > NOTICE_BYTES_MAX {
                self.add(&here, Problem::TextTooLong { found: text.len() });
            }
        }
    }
}
