//! Replays what fuzzing left behind, and changes it a little: the readers of untrusted bytes answer whatever they are given, and do
//! not contradict themselves. `scripts/fuzz.sh` looks for more.

use std::path::PathBuf;

use tests::random::Random;
use tests::untrusted::READERS;

/// Changed copies of each input.
const CHANGES: usize = 40;

fn inputs(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn every_input_that_was_kept_is_answered_without_contradiction() {
    for (name, check) in READERS {
        let inputs = inputs(name);
        let understood = inputs.iter().filter(|input| check(input)).count();
        println!("{name}: {understood} of {} inputs are understood", inputs.len());
        assert!(understood > 0 && understood < inputs.len(), "{name}: the inputs say nothing");
    }
}

#[test]
fn inputs_that_were_changed_a_little_are_answered_too() {
    let mut random = Random::new(7);
    for (name, check) in READERS {
        let inputs = inputs(name);
        for input in &inputs {
            for _ in 0..CHANGES {
                let mut changed = input.clone();
                for _ in 0..=random.below(3) {
                    let at = random.below(changed.len() + 1);
                    match random.below(4) {
                        0 => changed.truncate(at),
                        1 => changed.insert(at, u8::try_from(random.below(256)).unwrap()),
                        2 if at < changed.len() => changed[at] ^= 1 << random.below(8),
                        _ => {
                            let other = &inputs[random.below(inputs.len())];
                            let from = random.below(other.len() + 1);
                            changed.splice(at.., other[from..].iter().copied());
                        }
                    }
                }
                check(&changed);
            }
        }
    }
}
