//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use crate::bench::{self, BenchArgs};
use crate::generate::{self, GenerateArgs};
use crate::log_copy::{self, LogCommand};
use crate::serve::{self, Roles};
use crate::topics::{self, TopicsCommand};
use crate::view::{self, ViewArgs};
use crate::{demo, doctor, events, import, token};

/// The open backend for partner relationship management.
#[derive(Debug, Parser)]
#[command(
    name = "pactum",
    version,
    max_term_width = 110,
    after_help = "\
Examples:
  pactum demo                                   a running system with a generated program
  pactum serve --data /var/lib/pactum           all roles on the embedded log
  pactum import crm --program programs/acme --pipeline sales_pipeline.csv
  pactum events --program programs/acme --follow"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run all roles in this process
    Serve(ServeArgs),
    /// Run the command role in this process, as one of several on Kafka
    #[command(name = "command", after_help = COMMAND_HELP)]
    Commands(ServeArgs),
    /// Run the projector role in this process, on Kafka
    #[command(after_help = PROJECTOR_HELP)]
    Projector(ServeArgs),
    /// Run all roles with a generated program to look at
    Demo(DemoArgs),
    /// Make a program's history of any size, straight into a log
    Generate(GenerateArgs),
    /// Bring another system's history in
    #[command(subcommand)]
    Import(ImportCommand),
    /// Print a program's history
    Events(EventsArgs),
    /// Make and check the topic of a log on Kafka
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Look at the views of a projector, rebuild them, decide about records they cannot fold
    View(ViewArgs),
    /// Work on logs as a whole
    #[command(subcommand)]
    Log(LogCommand),
    /// Check a data directory and say what to do
    Doctor(DoctorArgs),
    /// Make a token that says who calls
    Token(TokenArgs),
    /// Measure speed on this machine
    Bench(BenchArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  pactum completion bash > /etc/bash_completion.d/pactum")]
    Completion {
        /// The shell
        shell: Shell,
    },
}

impl Command {
    /// Does what was asked.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Serve(arguments) => Box::pin(serve::run(arguments, Roles::All)).await,
            Self::Commands(arguments) => Box::pin(serve::run(arguments, Roles::Command)).await,
            Self::Projector(arguments) => Box::pin(serve::run(arguments, Roles::Projector)).await,
            Self::Topics(command) => Box::pin(topics::run(command)).await,
            Self::Demo(arguments) => Box::pin(demo::run(arguments)).await,
            Self::Generate(arguments) => Box::pin(generate::run(arguments)).await,
            Self::Import(ImportCommand::Crm(arguments)) => Box::pin(import::crm(arguments)).await,
            Self::Events(arguments) => events::print(arguments).await,
            Self::View(arguments) => Box::pin(view::run(arguments)).await,
            Self::Log(command) => Box::pin(log_copy::run(command)).await,
            Self::Doctor(arguments) => doctor::run(arguments).await,
            Self::Token(arguments) => token::make(&arguments),
            Self::Bench(arguments) => Box::pin(bench::run(arguments)).await,
            Self::Completion { shell } => completion(shell),
        }
    }
}

const COMMAND_HELP: &str = "\
Example:
  pactum command --kafka-brokers 10.0.0.1:9092 --key-file /etc/pactum/token.key --data /var/lib/pactum-command \\
    --grpc-listen 10.0.0.7:7400 --http-listen 10.0.0.7:7401

Any instance takes any command and sends it to the owner of the program's partition; more instances than partitions are standbys. \
What falls due is decided by the owner, too: timers need no process of their own.";

const PROJECTOR_HELP: &str = "\
Example:
  pactum projector --kafka-brokers 10.0.0.1:9092 --key-file /etc/pactum/token.key --data /var/lib/pactum-projector \\
    --grpc-listen 10.0.0.7:7410 --http-listen 10.0.0.7:7411

Each instance folds the whole log into views of its own, and is ready once it has caught up.";

/// Settings that flags can give; see `docs/configuration.md`.
#[derive(Debug, Clone, Args)]
pub(crate) struct SettingsArgs {
    /// A TOML file with settings
    #[arg(long, env = "PACTUM_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// The directory that holds the log, the views and the token key [default: data]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,
    /// Where gRPC listens [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) grpc_listen: Option<SocketAddr>,
    /// Where metrics and health are served over HTTP [default: 127.0.0.1:7401]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http_listen: Option<SocketAddr>,
    /// Use the log on Kafka; some of the brokers, HOST:PORT with commas between them
    #[arg(long, value_name = "BROKERS")]
    pub(crate) kafka_brokers: Option<String>,
    /// The topic that is the log [default: pactum]
    #[arg(long, value_name = "NAME")]
    pub(crate) kafka_topic: Option<String>,
    /// Where other instances of the command role reach this one, HOST:PORT [default: where gRPC listens]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) advertise: Option<String>,
    /// The token key that all processes of a system share [default: token.key in the data directory]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key_file: Option<PathBuf>,
    /// What to log: info, or pactum_journal=debug,info [default: info]
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How a log line looks [default: text]
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"])]
    pub(crate) log_format: Option<String>,
    /// Print the settings in force as TOML and end
    #[arg(long)]
    pub(crate) print_config: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pactum serve --data /var/lib/pactum --grpc-listen 127.0.0.1:7400

A setting comes from the defaults, then --config, then the environment (PACTUM_GRPC__LISTEN=…), then flags; the later wins.")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pactum demo --deals 5000 --seed 7")]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// Partners of the generated program
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=5_000))]
    pub(crate) partners: u32,
    /// Deals of the generated program
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=500_000))]
    pub(crate) deals: u32,
    /// Years of history
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(crate) years: u32,
    /// The same seed makes the same program
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Generate, then end instead of serving
    #[arg(long)]
    pub(crate) once: bool,
}

/// How to reach a running system.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConnectArgs {
    /// The system's gRPC address
    #[arg(long, global = true, env = "PACTUM_ENDPOINT", default_value = "http://127.0.0.1:7400", value_name = "URL")]
    pub(crate) endpoint: String,
    /// A token that says who calls; without it one is made with the key in --data
    #[arg(long, global = true, env = "PACTUM_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// The data directory whose key makes the token
    #[arg(long, global = true, env = "PACTUM_DATA", default_value = "data", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data: PathBuf,
    /// The key that makes the token, where it is not the data directory's
    #[arg(long, global = true, env = "PACTUM_TOKEN__KEY_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Opportunities of a CRM, from CSV files
    Crm(ImportCrmArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pactum import crm --program programs/acme --pipeline sales_pipeline.csv --accounts accounts.csv \\
    --products products.csv --teams sales_teams.csv

A program that does not exist is made with a policy that fits the files. Running the same import again appends nothing.")]
pub(crate) struct ImportCrmArgs {
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
    /// The program to import into: programs/acme
    #[arg(long, value_name = "NAME")]
    pub(crate) program: String,
    /// The opportunities
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) pipeline: PathBuf,
    /// The customer accounts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) accounts: Option<PathBuf>,
    /// The products with their prices
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) products: Option<PathBuf>,
    /// Who manages which partner, from which office
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) teams: Option<PathBuf>,
    /// What the columns and stages are called, where they differ from the default
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    pub(crate) mapping: Option<PathBuf>,
    /// Where the report goes
    #[arg(long, value_name = "FILE", default_value = "crm-import-report.json", value_hint = ValueHint::FilePath)]
    pub(crate) report: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pactum events --program programs/acme --from 100
  pactum events --program programs/acme --where 'event.type == \"DealWon\"'
  pactum events --program programs/acme --follow --json | jq .type")]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
    /// Whose history: programs/acme
    #[arg(long, value_name = "NAME")]
    pub(crate) program: String,
    /// The first sequence to print
    #[arg(long, default_value_t = 1, value_name = "SEQUENCE")]
    pub(crate) from: u64,
    /// Go on with what happens from now on
    #[arg(long)]
    pub(crate) follow: bool,
    /// Only events for which this CEL expression holds: event.type == "DealRegistered" && event.data.partner == "north"
    #[arg(long = "where", value_name = "CEL")]
    pub(crate) filter: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pactum doctor --data /var/lib/pactum --deep

A system that runs is asked how it does; one that does not run is looked into. Ends with 1 where something is wrong.")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// Also read every entry of the log and fold every view from nothing to compare
    #[arg(long)]
    pub(crate) deep: bool,
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pactum token --program programs/acme --role program-admin
  pactum token --program programs/acme --role partner-sales --partner north-systems --valid-for 1h")]
pub(crate) struct TokenArgs {
    /// The data directory whose key signs it
    #[arg(long, env = "PACTUM_DATA", default_value = "data", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data: PathBuf,
    /// The key that signs it, where it is not the data directory's; made if it is not there
    #[arg(long, env = "PACTUM_TOKEN__KEY_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key_file: Option<PathBuf>,
    /// The program it is for: programs/acme
    #[arg(long, value_name = "NAME")]
    pub(crate) program: String,
    /// The role it gives
    #[arg(long)]
    pub(crate) role: String,
    /// The partner, for a partner's role
    #[arg(long, value_name = "ID")]
    pub(crate) partner: Option<String>,
    /// Who it is for: an opaque id, not a name or an address
    #[arg(long, default_value = "operator", value_name = "ID")]
    pub(crate) subject: String,
    /// How long it is valid: 30m, 12h, 7d
    #[arg(long, default_value = "12h", value_name = "SPAN")]
    pub(crate) valid_for: jiff::SignedDuration,
}

/// Prints a shell's completion script.
pub(crate) fn completion(shell: Shell) -> anyhow::Result<()> {
    clap_complete::generate(shell, &mut Cli::command(), "pactum", &mut std::io::stdout());
    Ok(())
}

impl SettingsArgs {
    /// What was given, in the shape of the settings.
    pub(crate) fn given(&self) -> serde_json::Value {
        let mut given = serde_json::Map::new();
        let mut set = |path: &[&str], value: Option<serde_json::Value>| {
            if let Some(value) = value {
                let mut table = &mut given;
                for part in &path[..path.len() - 1] {
                    table = table
                        .entry(*part)
                        .or_insert_with(|| serde_json::Map::new().into())
                        .as_object_mut()
                        .expect("the paths below name tables and values apart");
                }
                table.insert(path[path.len() - 1].to_owned(), value);
            }
        };
        set(&["data"], self.data.as_ref().map(|data| data.to_string_lossy().into()));
        set(&["grpc", "listen"], self.grpc_listen.map(|address| address.to_string().into()));
        set(&["http", "listen"], self.http_listen.map(|address| address.to_string().into()));
        set(&["log", "kind"], self.kafka_brokers.as_ref().map(|_| "kafka".into()));
        set(&["kafka", "brokers"], self.kafka_brokers.clone().map(Into::into));
        set(&["kafka", "topic"], self.kafka_topic.clone().map(Into::into));
        set(&["command", "advertise"], self.advertise.clone().map(Into::into));
        set(&["token", "key_file"], self.key_file.as_ref().map(|file| file.to_string_lossy().into()));
        set(&["telemetry", "filter"], self.log.clone().map(Into::into));
        set(&["telemetry", "format"], self.log_format.clone().map(Into::into));
        given.into()
    }

    /// The settings in force.
    pub(crate) fn load(&self) -> Result<pactum_runtime::config::Settings, pactum_runtime::config::ConfigError> {
        pactum_runtime::config::Settings::load(self.config.as_deref(), &self.given())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_command_shows_an_example() {
        let mut cli = Cli::command();
        cli.build();
        cli.clone().debug_assert();
        for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
            let leaves: Vec<_> =
                match command.get_subcommands().filter(|leaf| leaf.get_name() != "help").collect::<Vec<_>>() {
                    leaves if leaves.is_empty() => vec![command],
                    leaves => leaves,
                };
            for leaf in leaves {
                let help =
                    |command: &clap::Command| command.get_after_help().map(ToString::to_string).unwrap_or_default();
                let shown = help(leaf) + &help(command);
                assert!(shown.contains("Example"), "{} shows no example", leaf.get_name());
            }
        }
    }

    #[test]
    fn flags_take_the_shape_of_settings() {
        let cli = Cli::parse_from(["pactum", "serve", "--data", "d", "--grpc-listen", "127.0.0.1:1"]);
        let Command::Serve(serve) = cli.command else { unreachable!("serve was parsed") };
        assert_eq!(serve.settings.given(), serde_json::json!({"data": "d", "grpc": {"listen": "127.0.0.1:1"}}));
    }
}
