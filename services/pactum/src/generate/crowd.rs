//! Several programs, made one step after another in the order of their moments, as if they had run side by side.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use bytes::Bytes;
use pactum_events::partition_of;
use pactum_ids::ProgramId;
use pactum_log::Partition;

use super::error::GenerateError;
use super::simulation::Simulation;
use super::size::Size;

/// Programs that share a log.
pub(crate) struct Crowd {
    programs: Vec<(Simulation, Partition)>,
    /// When something next happens in which program.
    next: BinaryHeap<Reverse<(i64, usize)>>,
}

impl Crowd {
    /// Programs of these sizes; of several the last is archived at the end.
    pub(crate) fn new(programs: &[(ProgramId, Size)], partitions: u32) -> Self {
        let last = programs.len().saturating_sub(1);
        let programs: Vec<_> = programs
            .iter()
            .enumerate()
            .map(|(number, (program, size))| {
                let partition = partition_of(program, partitions);
                let archived = number > 0 && number == last;
                (Simulation::new(program.clone(), *size, number as u64, archived), partition)
            })
            .collect();
        let next = programs
            .iter()
            .enumerate()
            .filter_map(|(number, (program, _))| Some(Reverse((program.next_at()?, number))))
            .collect();
        Self { programs, next }
    }

    /// Lets the next thing happen, in whichever program; gives the partition of what it makes, or nothing at the end.
    pub(crate) fn step(&mut self, out: &mut Vec<Bytes>) -> Result<Option<Partition>, GenerateError> {
        let Some(Reverse((_, number))) = self.next.pop() else { return Ok(None) };
        let (program, partition) = &mut self.programs[number];
        program.step(out)?;
        if let Some(at) = program.next_at() {
            self.next.push(Reverse((at, number)));
        }
        Ok(Some(*partition))
    }

    /// The partitions that the programs lie in.
    pub(crate) fn lies_in(&self, partition: Partition) -> bool {
        self.programs.iter().any(|(_, of)| *of == partition)
    }

    /// What was refused because something else was faster.
    pub(crate) fn refused(&self) -> u64 {
        self.programs.iter().map(|(program, _)| program.refused()).sum()
    }
}
