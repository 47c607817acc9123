//! `pactum token`.

use std::time::Duration;

use anyhow::Context;
use pactum_api::Caller;
use pactum_domain::actor::{Actor, Role};
use pactum_ids::PartnerId;
use pactum_runtime::token::{TokenKey, role_names};
use smol_str::SmolStr;

use crate::cli::TokenArgs;
use crate::{client, output};

pub(crate) fn make(arguments: &TokenArgs) -> anyhow::Result<()> {
    let program = client::program_id(&arguments.program)?;
    let role = Role::parse(&arguments.role)
        .filter(|role| *role != Role::Timer)
        .with_context(|| format!("--role {:?} is not a role; it is {}", arguments.role, role_names()))?;
    let partner = arguments.partner.as_deref().map(PartnerId::new).transpose().context("--partner")?;
    let valid_for = Duration::try_from(arguments.valid_for).context("--valid-for must not be negative")?;
    let key = match &arguments.key_file {
        Some(file) => TokenKey::read_or_create(file)?,
        None => {
            std::fs::create_dir_all(&arguments.data)
                .with_context(|| format!("--data {} cannot be made", arguments.data.display()))?;
            TokenKey::read_or_create(&TokenKey::path(&arguments.data))?
        }
    };
    let actor = Actor { subject: SmolStr::new(&arguments.subject), role, partner };
    output::text(&format!("{}\n", key.sign(&Caller { actor, program }, valid_for)?))
}
