//! Deciding a command to a partner.

use pactum_ids::PartnerId;
use smol_str::SmolStr;

use super::{Enrolled, Event, Partner, PartnerState, Profile, ProfileUpdated};
use crate::account::country;
use crate::command::PartnerCommand;
use crate::event::AnyEvent;
use crate::model::{Setting, field};
use crate::policy::Policy;
use crate::rejection::Rejection;

/// Decides a command to a partner.
pub(crate) fn decide(
    setting: &Setting<'_>,
    id: &PartnerId,
    command: &PartnerCommand,
) -> Result<Vec<AnyEvent>, Rejection> {
    let event = match command {
        PartnerCommand::Apply(profile) => Some(apply(setting, id, profile)?),
        _ => {
            let partner = setting.partner(id)?;
            setting.check_version(partner.version)?;
            decide_known(setting, partner, command)?
        }
    };
    Ok(event.map(|event| AnyEvent::Partner(id.clone(), event)).into_iter().collect())
}

fn decide_known(
    setting: &Setting<'_>,
    partner: &Partner,
    command: &PartnerCommand,
) -> Result<Option<Event>, Rejection> {
    use PartnerState as State;
    if let PartnerCommand::Update(update) = command {
        return self::update(setting, partner, update);
    }
    setting.vendor_only()?;
    let refuse =
        |verb, allowed| Rejection::InvalidTransition { kind: "partner", state: partner.state.words(), verb, allowed };
    match command {
        // Decided before.
        PartnerCommand::Apply(_) | PartnerCommand::Update(_) => Ok(None),
        PartnerCommand::Approve { note } => match partner.state {
            State::Approved => Ok(None),
            State::Applied => {
                field::prose("note", note)?;
                Ok(Some(Event::Approved { note: note.clone() }))
            }
            _ => Err(refuse("approved", "it must have applied")),
        },
        PartnerCommand::Reject { reason } => match partner.state {
            State::Rejected => Ok(None),
            State::Applied => {
                field::prose("reason", reason)?;
                Ok(Some(Event::Rejected { reason: reason.clone() }))
            }
            _ => Err(refuse("rejected", "it must have applied")),
        },
        PartnerCommand::Enroll(terms) => match partner.state {
            State::Approved => Ok(Some(Event::Enrolled(enrolment(setting.policy()?, terms)?))),
            State::Onboarding if enrolment(setting.policy()?, terms)? == enrolled(partner) => Ok(None),
            _ => Err(refuse("enrolled", "it must be approved")),
        },
        PartnerCommand::Activate => match partner.state {
            State::Active => Ok(None),
            State::Onboarding => Ok(Some(Event::Activated)),
            _ => Err(refuse("activated", "it must be onboarding; a suspended partner is reinstated")),
        },
        PartnerCommand::Suspend { reason } => match partner.state {
            State::Suspended => Ok(None),
            State::Active => {
                field::prose("reason", reason)?;
                Ok(Some(Event::Suspended { reason: reason.clone() }))
            }
            _ => Err(refuse("suspended", "it must be active")),
        },
        PartnerCommand::Reinstate { reason } => match partner.state {
            State::Active => Ok(None),
            State::Suspended => {
                field::prose("reason", reason)?;
                Ok(Some(Event::Reinstated { reason: reason.clone() }))
            }
            _ => Err(refuse("reinstated", "it must be suspended")),
        },
        PartnerCommand::Terminate { reason } => match partner.state {
            State::Terminated => Ok(None),
            State::Approved | State::Onboarding | State::Active | State::Suspended => {
                field::prose("reason", reason)?;
                Ok(Some(Event::Terminated { reason: reason.clone() }))
            }
            _ => Err(refuse("terminated", "it must have been approved; an applicant is rejected")),
        },
        PartnerCommand::AssignManager { manager } => {
            if partner.manager == *manager {
                return Ok(None);
            }
            if partner.state.is_final() {
                return Err(refuse("given a manager", "it must be in the program or on its way there"));
            }
            field::handle("manager", manager)?;
            Ok(Some(Event::ManagerAssigned { manager: manager.clone() }))
        }
    }
}

fn apply(setting: &Setting<'_>, id: &PartnerId, profile: &Profile) -> Result<Event, Rejection> {
    if !setting.may_see(id) {
        return Err(Rejection::Forbidden("a partner may apply only in its own name"));
    }
    if setting.model.partner(id).is_some() {
        return Err(Rejection::AlreadyExists { kind: "partner", id: id.as_str().into() });
    }
    setting.check_version(0)?;
    field::required_line("partner.display_name", &profile.display_name)?;
    check_country(profile.country.as_ref())?;
    check_domain(profile.domain.as_ref())?;
    field::handle("partner.partner_type", &profile.kind)?;
    if !profile.kind.is_empty()
        && let Ok(policy) = setting.policy()
    {
        known_type("partner.partner_type", policy, &profile.kind)?;
    }
    Ok(Event::Applied(profile.clone()))
}

fn check_country(given: Option<&SmolStr>) -> Result<(), Rejection> {
    match given {
        Some(code) if !country::is_country(code) => {
            Err(field::invalid("partner.country", "not an ISO 3166-1 alpha-2 code, such as DE"))
        }
        _ => Ok(()),
    }
}

fn check_domain(domain: Option<&SmolStr>) -> Result<(), Rejection> {
    domain.map_or(Ok(()), |domain| {
        field::required_line("partner.domain", domain)?;
        if domain.len() > 253 || domain.contains(char::is_whitespace) {
            return Err(field::invalid("partner.domain", "not a domain, such as partner.example"));
        }
        Ok(())
    })
}

fn known_type(field: &'static str, policy: &Policy, kind: &str) -> Result<(), Rejection> {
    if policy.knows_partner_type(kind) {
        return Ok(());
    }
    let known = policy.partner_types.join(", ");
    Err(field::invalid(field, format!("{kind:?} is not a partner type of the policy, which has {known}")))
}

fn known_tier(field: &'static str, policy: &Policy, tier: &str) -> Result<(), Rejection> {
    field::handle(field, tier)?;
    if policy.tier(tier).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = policy.tiers.iter().map(|tier| tier.id.as_str()).collect();
    Err(field::invalid(field, format!("{tier:?} is not a tier of the policy, which has {}", known.join(", "))))
}

fn known_territories(field: &'static str, policy: &Policy, given: &[SmolStr]) -> Result<Vec<SmolStr>, Rejection> {
    let territories = field::names(field, given)?;
    match territories.iter().find(|territory| !policy.knows_territory(territory)) {
        Some(territory) => Err(field::invalid(field, format!("{territory:?} is not a territory of the program"))),
        None => Ok(territories),
    }
}

fn known_specialisations(field: &'static str, policy: &Policy, given: &[SmolStr]) -> Result<Vec<SmolStr>, Rejection> {
    let specialisations = field::names(field, given)?;
    match specialisations.iter().find(|name| !policy.knows_specialisation(name)) {
        Some(name) => Err(field::invalid(field, format!("{name:?} is not a specialisation of the policy"))),
        None => Ok(specialisations),
    }
}

fn enrolment(policy: &Policy, terms: &Enrolled) -> Result<Enrolled, Rejection> {
    known_tier("tier", policy, &terms.tier)?;
    field::required_line("partner_type", &terms.kind)?;
    field::handle("partner_type", &terms.kind)?;
    known_type("partner_type", policy, &terms.kind)?;
    Ok(Enrolled {
        tier: terms.tier.clone(),
        kind: terms.kind.clone(),
        territories: known_territories("territories", policy, &terms.territories)?,
        specialisations: known_specialisations("specialisations", policy, &terms.specialisations)?,
    })
}

fn enrolled(partner: &Partner) -> Enrolled {
    Enrolled {
        tier: partner.tier.clone(),
        kind: partner.profile.kind.clone(),
        territories: partner.territories.clone(),
        specialisations: partner.specialisations.clone(),
    }
}

/// Changes fields. A partner changes what it tells of itself; what the program grants it, the vendor changes.
fn update(setting: &Setting<'_>, partner: &Partner, update: &ProfileUpdated) -> Result<Option<Event>, Rejection> {
    let ProfileUpdated { display_name, country, domain, territories, specialisations, tier } = update;
    let names_terms = territories.is_some() || specialisations.is_some() || tier.is_some();
    if names_terms {
        setting.vendor_only()?;
    }
    let refuse =
        |verb, allowed| Rejection::InvalidTransition { kind: "partner", state: partner.state.words(), verb, allowed };
    if partner.state.is_final() {
        return Err(refuse("changed", "it must be in the program or on its way there"));
    }
    if names_terms && !partner.state.is_enrolled() {
        return Err(refuse("given another tier, territories or specialisations", "enrol it first"));
    }
    if let Some(name) = display_name {
        field::required_line("partner.display_name", name)?;
    }
    check_country(country.iter().flatten().next())?;
    check_domain(domain.iter().flatten().next())?;
    let mut changed = ProfileUpdated {
        display_name: display_name.clone().filter(|name| *name != partner.profile.display_name),
        country: country.clone().filter(|country| *country != partner.profile.country),
        domain: domain.clone().filter(|domain| *domain != partner.profile.domain),
        ..ProfileUpdated::default()
    };
    if names_terms {
        let policy = setting.policy()?;
        if let Some(given) = territories {
            let territories = known_territories("partner.territories", policy, given)?;
            changed.territories = Some(territories).filter(|territories| *territories != partner.territories);
        }
        if let Some(given) = specialisations {
            let held = known_specialisations("partner.specialisations", policy, given)?;
            changed.specialisations = Some(held).filter(|held| *held != partner.specialisations);
        }
        if let Some(tier) = tier {
            known_tier("partner.tier", policy, tier)?;
            changed.tier = Some(tier.clone()).filter(|tier| *tier != partner.tier);
        }
    }
    Ok((changed != ProfileUpdated::default()).then_some(Event::ProfileUpdated(changed)))
}
