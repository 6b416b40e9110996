//! What a model trained from a set's phrasings makes of the set's queries. It prints nothing.

use std::time::{Duration, Instant};

use faq::{Article, Model};

use crate::data::Set;

/// How a model did on a set.
pub struct Measured {
    /// How long training took.
    pub trained_in: Duration,
    /// How long a question took, in the mean.
    pub asked_in: Duration,
    /// Bytes of the model.
    pub memory_bytes: usize,
    /// Every answerable query: the confidence of the best match and whether it was right, the most confident first.
    pub answerable: Vec<(f32, bool)>,
    /// Confidence of the best match of every query that nothing fits.
    pub unanswerable: Vec<f32>,
    /// The trained model.
    pub model: Model,
}

/// What is answered from a threshold on.
pub struct Answered {
    /// The threshold, a confidence.
    pub threshold: f32,
    /// Share of the answerable queries that is answered.
    pub coverage: f32,
    /// Share of those answers that is right.
    pub precision: f32,
    /// Share of the unanswerable queries that is answered, wrongly.
    pub unanswerable: f32,
    /// Share of all answers that is right.
    pub precision_all: f32,
}

/// Trains from the set's phrasings and asks its queries.
pub fn measure(set: &Set) -> Measured {
    let articles = articles(&set.topics);
    let start = Instant::now();
    let model = Model::train(&articles);
    let trained_in = start.elapsed();
    let start = Instant::now();
    let answers: Vec<(u32, f32)> = set.queries.iter().map(|query| best(&model, &query.0)).collect();
    let asked_in = start.elapsed() / u32::try_from(answers.len().max(1)).expect("queries fit into memory");
    let with_answers = || set.queries.iter().map(|query| query.1).zip(&answers);
    let mut answerable: Vec<(f32, bool)> =
        with_answers().filter_map(|(right, answer)| right.map(|right| (answer.1, right == answer.0))).collect();
    answerable.sort_by(|a, b| b.0.total_cmp(&a.0));
    let unanswerable = with_answers().filter(|(right, _)| right.is_none()).map(|(_, answer)| answer.1).collect();
    Measured { trained_in, asked_in, memory_bytes: model.memory_bytes(), answerable, unanswerable, model }
}

/// Articles with these phrasings, the first one as the main question.
pub fn articles(topics: &[Vec<String>]) -> Vec<Article<'_>> {
    topics.iter().map(|phrasings| article(phrasings)).collect()
}

fn article(phrasings: &[String]) -> Article<'_> {
    let mut texts = phrasings.iter().map(String::as_str);
    Article { question: texts.next().unwrap_or_default(), similar: texts.collect() }
}

fn best(model: &Model, text: &str) -> (u32, f32) {
    model.ask(text).first().map_or((u32::MAX, 0.0), |best| (best.article, best.confidence))
}

impl Measured {
    /// Share of the answerable queries whose best match is right.
    pub fn accuracy(&self) -> f32 {
        share(self.answerable.iter().map(|answer| answer.1))
    }

    /// What is answered from a threshold on.
    pub fn answered(&self, threshold: f32) -> Answered {
        let answers = || self.answerable.iter().filter(|answer| answer.0 >= threshold);
        let wrong = self.unanswerable.iter().filter(|&&confidence| confidence >= threshold).map(|_| false);
        Answered {
            threshold,
            coverage: share(self.answerable.iter().map(|answer| answer.0 >= threshold)),
            precision: share(answers().map(|answer| answer.1)),
            unanswerable: share(self.unanswerable.iter().map(|&confidence| confidence >= threshold)),
            precision_all: share(answers().map(|answer| answer.1).chain(wrong)),
        }
    }

    /// The threshold at which half of the answerable queries are answered.
    pub fn half_threshold(&self) -> f32 {
        self.answerable[self.answerable.len().div_ceil(2) - 1].0
    }
}

fn share(of: impl Iterator<Item = bool>) -> f32 {
    let (yes, all) = of.fold((0_u32, 0_u32), |(yes, all), is| (yes + u32::from(is), all + 1));
    yes as f32 / all as f32
}
