//! `--help` says of every flag what it means, its default, and its environment variable.

use std::path::Path;
use std::process::Command;

use adapters::cli::Cli;
use clap::CommandFactory;

use super::expect_none;

/// Flags that speak of one call only, and so have no variable.
const WITHOUT_VARIABLE: [(&str, &str); 18] = [
    ("json", "the form of this call's output"),
    ("tenant", "the name of what this call makes"),
    ("groups", "what the tenant of this call's documents has"),
    ("scorers", "what the tenant of this call's documents has"),
    ("robots", "what the tenant of this call's documents has"),
    ("from", "the period of this call"),
    ("to", "the period of this call"),
    ("assignment", "what this call plays"),
    ("reception", "what this call plays"),
    ("shop", "what this call plays"),
    ("roster", "what this call plays"),
    ("capacity", "what this call plays"),
    ("seed", "what this call plays"),
    ("arrivals", "what this call makes up"),
    ("handling", "what this call makes up"),
    ("patience", "what this call makes up"),
    ("agents", "what this call makes up"),
    ("hours", "what this call makes up"),
];

fn check(command: &clap::Command, path: &str, complaints: &mut Vec<String>) {
    let is_own = |argument: &&clap::Arg| !argument.is_positional() && argument.get_id() != "help" && argument.get_id() != "version";
    for argument in command.get_arguments().filter(is_own) {
        let flag = format!("{path} --{}", argument.get_long().unwrap_or("?"));
        if argument.get_help().is_none() {
            complaints.push(format!("{flag}: what it means"));
        }
        if argument.is_hide_default_value_set() || argument.is_hide_env_set() || argument.is_hide_set() {
            complaints.push(format!("{flag}: hides what --help must say"));
        }
        if argument.get_env().is_none() && !WITHOUT_VARIABLE.iter().any(|(name, _)| argument.get_id() == *name) {
            complaints.push(format!("{flag}: its environment variable"));
        }
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        check(sub, &format!("{path} {}", sub.get_name()), complaints);
    }
}

#[test]
fn every_flag_of_kefu_is_explained() {
    let mut command = Cli::command();
    command.build();
    let mut complaints = Vec::new();
    check(&command, "kefu", &mut complaints);
    expect_none(complaints);
}

/// The help of a command and of every command below it.
fn help(binary: &Path, path: &[&str], texts: &mut Vec<(String, String)>) {
    let output = Command::new(binary).args(path).arg("--help").output().expect("the binary starts");
    assert!(output.status.success(), "{} {} --help", binary.display(), path.join(" "));
    let text = String::from_utf8(output.stdout).expect("help is UTF-8");
    let commands = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| line.starts_with("  "));
    let names: Vec<String> = commands.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    for name in names.iter().filter(|name| *name != "help") {
        help(binary, &[path, &[name.as_str()]].concat(), texts);
    }
    texts.push((path.join(" "), text));
}

/// Every flag of a help text with what is said about it, up to the next flag.
fn flags(text: &str) -> Vec<(String, String)> {
    let mut flags: Vec<(String, String)> = Vec::new();
    for line in text.lines().skip_while(|line| *line != "Options:").skip(1) {
        let name = line.split_whitespace().find(|word| word.starts_with("--"));
        match (name, flags.last_mut()) {
            (Some(name), _) if line.trim_start().starts_with('-') => flags.push((name.to_owned(), line.to_owned())),
            (_, Some((_, said))) => said.push_str(line),
            (_, None) => {}
        }
    }
    flags
}

#[test]
fn every_flag_of_kefu_load_is_explained() {
    let mut texts = Vec::new();
    help(Path::new(env!("CARGO_BIN_EXE_kefu-load")), &[], &mut texts);
    for command in ["replay", "pairs"] {
        let options = texts.iter().find(|(path, _)| path == command).map(|(_, text)| flags(text));
        assert!(options.is_some_and(|flags| flags.iter().any(|(flag, _)| flag == "--url")), "kefu-load {command} --url");
    }
    let flags = texts.iter().flat_map(|(path, text)| flags(text).into_iter().map(move |(flag, said)| (path, flag, said)));
    let own = flags.filter(|(_, flag, _)| flag != "--help" && flag != "--version");
    expect_none(own.filter(|(.., said)| !said.contains("[env: ")).map(|(path, flag, _)| format!("kefu-load {path} {flag}")).collect());
}
