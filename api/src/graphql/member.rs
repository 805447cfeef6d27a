//! Members of the organisation, invitations, service accounts and their keys.

use entity::{
    account, invitation, service_key,
    value::{AccountKind, Role},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    connection::{Names, from_memory},
    facility::Facility,
    mutation::{Done, Input, Subject},
    node::Node,
    render::{Object, Writer, Written},
};
use crate::{
    error::Error,
    id::{self, Kind},
    store::{Access, catalog, member},
};

pub struct User<'a>(pub &'a account::Model);
pub struct Invitation<'a>(pub &'a invitation::Model);
pub struct ServiceKey<'a>(pub &'a service_key::Model);
struct Membership<'a>(&'a catalog::Membership);
struct NewServiceKey<'a>(&'a service_key::Model, Option<&'a str>);

const USERS: Names = Names { connection: "UserConnection", edge: "UserEdge" };
const INVITATIONS: Names = Names { connection: "InvitationConnection", edge: "InvitationEdge" };

/// `Query.users` and `Query.serviceAccounts`.
pub fn users(node: &Node<'_>, w: &mut Writer<'_>, kind: AccountKind) -> Written {
    from_memory(
        w,
        node,
        USERS,
        if kind == AccountKind::Person { "persons" } else { "services" },
        |access, window| access.users(kind, window),
        Access::user_place,
        |w, node, row| w.object(node, &User(row)),
    )
}

/// `Query.invitations`.
pub fn invitations(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    from_memory(
        w,
        node,
        INVITATIONS,
        "",
        |access, window| access.invitations(window),
        Access::invitation_place,
        |w, node, row| w.object(node, &Invitation(row)),
    )
}

impl Object for User<'_> {
    fn type_name(&self) -> &str {
        "User"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        let access = w.access;
        match node.name {
            "id" => w.id(Kind::User, row.id),
            "kind" => w.word(&row.kind),
            "name" => w.str(&row.name),
            "email" => {
                w.optional_str(access.catalog.contacts.get(&row.id).map(|contact| contact.email.as_str()))
            }
            "disabled" => w.bool(row.disabled_at.is_some()),
            "memberships" => {
                w.list(node, access.memberships_here(row.id), |w, entry| w.object(node, &Membership(entry)))
            }
            "keys" => w.list(node, access.service_keys(row.id), |w, row| w.object(node, &ServiceKey(row))),
            _ => w.absent(node),
        }
    }
}

impl Object for Membership<'_> {
    fn type_name(&self) -> &str {
        "Membership"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = &self.0.row;
        let access = w.access;
        match node.name {
            "id" => w.id(Kind::Membership, row.id),
            "role" => w.word(&row.role),
            "facilities" if row.role != Role::Field => w.null(),
            "facilities" => {
                let cut = self.0.facilities.iter().filter_map(|id| access.facility(*id));
                let mut cut: Vec<_> = cut.collect();
                cut.sort_by(|a, b| a.row.slug.cmp(&b.row.slug));
                w.list(node, cut, |w, entry| w.object(node, &Facility(entry)))
            }
            "startsOn" => w.date(row.starts_on),
            "endsOn" => w.optional_date(row.ends_on),
            _ => w.absent(node),
        }
    }
}

impl Object for ServiceKey<'_> {
    fn type_name(&self) -> &str {
        "ServiceKey"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::ServiceKey, row.id),
            "name" => w.str(&row.name),
            "rights" => match &row.scopes {
                Some(scopes) => w.list(node, &scopes.0, |w, name| w.str(name)),
                None => w.null(),
            },
            "expiresAt" => w.moment(row.expires_at),
            "endedAt" => match row.ended_at {
                Some(at) => w.moment(at),
                None => w.null(),
            },
            "lastUsedOn" => w.optional_date(row.used_on),
            _ => w.absent(node),
        }
    }
}

impl Object for NewServiceKey<'_> {
    fn type_name(&self) -> &str {
        "NewServiceKey"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "key" => w.object(node, &ServiceKey(self.0)),
            "secret" => w.optional_str(self.1),
            _ => w.absent(node),
        }
    }
}

impl Object for Invitation<'_> {
    fn type_name(&self) -> &str {
        "Invitation"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::Invitation, row.id),
            "email" => w.str(&row.email),
            "name" => w.str(&row.name),
            "role" => w.word(&row.role),
            "startsOn" => w.date(row.starts_on),
            "endsOn" => w.optional_date(row.ends_on),
            "expiresAt" => w.moment(row.expires_at),
            "accepted" => w.bool(row.accepted_at.is_some()),
            _ => w.absent(node),
        }
    }
}

/// Who asks, as every caller may know of themselves.
pub struct ViewerAccount<'a>(pub &'a account::Model);

impl Object for ViewerAccount<'_> {
    fn type_name(&self) -> &str {
        "ViewerAccount"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "id" => w.id(Kind::User, self.0.id),
            "name" => w.str(&self.0.name),
            _ => w.absent(node),
        }
    }
}

/// The subject of a payload.
pub fn subject(node: &Node<'_>, w: &mut Writer<'_>, subject: &Member) -> Written {
    let access = w.access;
    match subject {
        Member::User(id) => match access.user(*id) {
            Some(row) => w.object(node, &User(row)),
            None => w.null(),
        },
        Member::Invitation(id) => match access.invitation(*id) {
            Some(row) => w.object(node, &Invitation(row)),
            None => w.null(),
        },
        Member::Key(id) => match access.service_key(*id) {
            Some(row) => w.object(node, &ServiceKey(row)),
            None => w.null(),
        },
        Member::NewKey(made) => match access.service_key(made.id) {
            Some(row) => {
                let secret = made.secret.as_ref().map(crate::auth::secret::Secret::shown);
                w.object(node, &NewServiceKey(row, secret))
            }
            None => w.null(),
        },
    }
}

/// What a mutation of members has made or changed.
pub enum Member {
    User(Uuid),
    Invitation(Uuid),
    Key(Uuid),
    NewKey(Box<member::NewKey>),
}

#[derive(Deserialize)]
struct Named<const KIND: u8> {
    #[serde(deserialize_with = "id::single::<_, KIND>")]
    id: Uuid,
}

fn named<const KIND: u8>(input: &Input) -> Result<Uuid, Error> {
    Ok(input.read::<Named<KIND>>()?.id)
}

/// The mutations of members.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    let member = match name {
        "inviteUser" => {
            let mut invite: member::Invite = input.read()?;
            invite.once = input.once(name)?;
            Member::Invitation(access.invite(invite).await?)
        }
        "endInvitation" => {
            Member::Invitation(access.end_invitation(named::<{ id::INVITATION }>(input)?).await?)
        }
        "changeMembership" => Member::User(access.change_membership(input.read()?).await?),
        "endMembership" => Member::User(access.end_membership(input.read()?).await?),
        "disableUser" | "enableUser" => {
            Member::User(access.set_disabled(named::<{ id::USER }>(input)?, name == "disableUser").await?)
        }
        "endUserSessions" => Member::User(access.end_user_sessions(named::<{ id::USER }>(input)?).await?),
        "createServiceAccount" => {
            let mut account: member::CreateServiceAccount = input.read()?;
            account.once = input.once(name)?;
            Member::User(access.create_service_account(account).await?)
        }
        "createServiceKey" => {
            let mut key: member::CreateServiceKey = input.read()?;
            key.once = input.once(name)?;
            Member::NewKey(Box::new(access.create_service_key(key).await?))
        }
        "endServiceKey" => Member::Key(access.end_service_key(named::<{ id::SERVICE_KEY }>(input)?).await?),
        _ => return Err(Error::Internal(format!("no mutation {name}")).into()),
    };
    Ok(Some(Subject::Member(member)))
}
