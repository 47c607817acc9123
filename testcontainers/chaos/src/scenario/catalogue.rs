//! The fault runs.

use std::time::Duration;

use super::step::{Action, Cluster, Step, Target};
use super::{Scenario, step};

const MILLI: fn(u64) -> Duration = Duration::from_millis;
const SECOND: fn(u64) -> Duration = Duration::from_secs;

/// Longer than every timeout of the system, the brokers' session with their members included.
const LONGER_THAN_EVERY_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a partition may be without an owner that answers: three seconds are promised on a machine of its own, and runs
/// share theirs with everything they start.
const TAKEN_OVER: Duration = Duration::from_secs(15);

/// How long a partition may be without a leader after a broker is gone.
const LED_AGAIN: Duration = Duration::from_secs(30);

const KAFKA: Cluster = Cluster::Kafka { commands: 2, projectors: 2, disk_mib: None };

fn act(action: Action, target: Target) -> Step {
    Step::Do(action, target)
}

fn a_while() -> Step {
    Step::Load(MILLI(300), SECOND(2))
}

fn rest(time: Duration) -> Step {
    Step::Load(time, time)
}

/// A fault again and again, with load before and progress after each.
fn rounds(rounds: usize, round: impl Fn(usize) -> Vec<Step>) -> Vec<Step> {
    let mut steps = Vec::new();
    for number in 0..rounds {
        steps.extend([Step::Answers(30), a_while()]);
        steps.extend(round(number));
    }
    steps.push(Step::Answers(30));
    steps
}

/// Every scenario, in the order in which they are run.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let mut scenarios = on_embedded();
    scenarios.extend(of_processes());
    scenarios.extend(of_brokers());
    scenarios
}

/// The scenario of that name.
#[must_use]
pub fn named(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

/// A selection for every test run: owners that are killed, on either log. The tests break brokers and networks themselves.
#[must_use]
pub fn short() -> Vec<Scenario> {
    ["serve-kill", "owner-kill"].into_iter().filter_map(named).collect()
}

fn on_embedded() -> Vec<Scenario> {
    use Action::{Kill, Pause, Resume, Start, Terminate};
    let scenario = |name, about, steps| Scenario { name, about, cluster: Cluster::Embedded, steps };
    let serve = Target::Serve;
    vec![
        scenario(
            "serve-kill",
            "kill -9 of the only process, again and again",
            rounds(4, |_| vec![act(Kill, serve), act(Start, serve), Step::Progress(TAKEN_OVER)]),
        ),
        scenario(
            "serve-pause",
            "the only process stands still for longer than its clients wait",
            rounds(2, |_| vec![act(Pause, serve), rest(SECOND(6)), act(Resume, serve), Step::Progress(TAKEN_OVER)]),
        ),
        scenario(
            "serve-restart",
            "SIGTERM and start, as an upgrade does",
            rounds(3, |_| vec![act(Terminate, serve), act(Start, serve), Step::Progress(TAKEN_OVER)]),
        ),
    ]
}

/// An owner of some partition, another one each round.
fn owner(round: usize) -> Target {
    Target::Owner(u32::try_from(round).unwrap_or(0) % super::world::PARTITIONS)
}

fn of_processes() -> Vec<Scenario> {
    use Action::{Cut, Heal, Kill, Pause, Resume, Start, Terminate};
    let scenario = |name, about, steps| Scenario { name, about, cluster: KAFKA, steps };
    let over = Step::Progress(TAKEN_OVER);
    vec![
        scenario(
            "owner-kill",
            "kill -9 of the owner of a partition",
            rounds(3, |round| vec![act(Kill, owner(round)), over.clone(), act(Start, Target::Same)]),
        ),
        scenario(
            "owner-pause",
            "the owner of a partition stands still for longer than every timeout, and wakes",
            rounds(2, |round| {
                let wait = rest(LONGER_THAN_EVERY_TIMEOUT);
                vec![act(Pause, owner(round)), over.clone(), wait, act(Resume, Target::Same), over.clone()]
            }),
        ),
        scenario(
            "owner-restart",
            "the owner of a partition is stopped cleanly and started again",
            rounds(3, |round| vec![act(Terminate, owner(round)), over.clone(), act(Start, Target::Same)]),
        ),
        scenario(
            "projector-kill",
            "kill -9 of a projector",
            rounds(3, |round| {
                let projector = Target::Projector(round % 2);
                vec![act(Kill, projector), over.clone(), act(Start, projector)]
            }),
        ),
        scenario(
            "cut-from-brokers",
            "the owner of a partition is cut off from the brokers, not from its peers and callers",
            rounds(2, |round| {
                let Target::Owner(partition) = owner(round) else { return Vec::new() };
                let cut = act(Cut, Target::OwnersBrokers(partition));
                vec![cut, over.clone(), rest(SECOND(8)), act(Heal, Target::Same), over.clone()]
            }),
        ),
        scenario(
            "cut-from-peers",
            "the other command processes do not reach the owner of a partition, which reaches the brokers",
            rounds(2, |round| {
                let Target::Owner(partition) = owner(round) else { return Vec::new() };
                let cut = act(Cut, Target::OwnersPeers(partition));
                vec![cut, over.clone(), rest(SECOND(8)), act(Heal, Target::Same), over.clone()]
            }),
        ),
    ]
}

fn of_brokers() -> Vec<Scenario> {
    use Action::{Fill, Free, Kill, Pause, Resume, Start, Terminate};
    let scenario = |name, about, steps| Scenario { name, about, cluster: KAFKA, steps };
    let led = Step::Progress(LED_AGAIN);
    let again = || vec![Step::StartAll, Step::Whole];
    let rolling = || {
        let mut steps = Vec::new();
        for broker in 0..3 {
            steps.extend([act(Terminate, Target::Broker(broker)), a_while(), act(Start, Target::Same), Step::Whole]);
        }
        for target in [Target::Command(0), Target::Command(1), Target::Projector(0), Target::Projector(1)] {
            steps.extend([act(Terminate, target), a_while(), act(Start, target), Step::Progress(TAKEN_OVER)]);
        }
        steps
    };
    vec![
        scenario(
            "broker-kill",
            "kill -9 of a broker, whatever it leads",
            rounds(3, |round| {
                let mut steps = vec![act(Kill, Target::Broker(round % 3)), led.clone()];
                steps.extend(again());
                steps
            }),
        ),
        scenario(
            "leader-kill",
            "kill -9 of the broker that leads a partition",
            rounds(2, |round| {
                let partition = u32::try_from(round).unwrap_or(0);
                let mut steps = vec![act(Kill, Target::Leader(partition)), led.clone()];
                steps.extend(again());
                steps
            }),
        ),
        scenario(
            "leader-pause",
            "the broker that leads a partition stands still, and wakes believing that it leads",
            rounds(2, |round| {
                let partition = u32::try_from(round).unwrap_or(0);
                let pause = act(Pause, Target::Leader(partition));
                vec![pause, led.clone(), rest(SECOND(5)), act(Resume, Target::Same), Step::Whole, led.clone()]
            }),
        ),
        scenario(
            "two-brokers-kill",
            "kill -9 of two brokers of three: nothing can be taken until they are back",
            rounds(2, |round| {
                let (one, other) = (Target::Broker(round % 3), Target::Broker((round + 1) % 3));
                let mut steps = vec![act(Kill, one), act(Kill, other), rest(SECOND(4))];
                steps.extend(again());
                steps.push(Step::Progress(step::after_an_outage()));
                steps
            }),
        ),
        Scenario {
            cluster: Cluster::Kafka { commands: 2, projectors: 1, disk_mib: Some(256) },
            ..scenario(
                "disk-full",
                "the disk of the broker that leads a partition is full",
                rounds(1, |_| {
                    let fill = act(Fill, Target::Leader(0));
                    vec![
                        fill,
                        led.clone(),
                        a_while(),
                        act(Free, Target::Same),
                        Step::StartAll,
                        Step::Whole,
                        led.clone(),
                    ]
                }),
            )
        },
        scenario("rolling-restart", "everything is restarted, one after another", rounds(1, |_| rolling())),
    ]
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn names_are_unique_and_every_run_ends_whole_and_in_progress() {
        let scenarios = all();
        for scenario in &scenarios {
            assert_eq!(scenarios.iter().filter(|other| other.name == scenario.name).count(), 1, "{}", scenario.name);
            assert_eq!(*scenario.steps.last().unwrap(), Step::Answers(30), "{}", scenario.name);
            let faults = scenario.steps.iter().filter(|step| matches!(step, Step::Do(action, _) if action.is_fault()));
            assert!(faults.count() > 0, "{} breaks nothing", scenario.name);
        }
        assert_eq!(short().len(), 2);
    }
}
