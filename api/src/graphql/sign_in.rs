//! Signing in and out, and new passwords.

use serde::Deserialize;

use super::{
    mutation::{Done, Input, Subject},
    node::Node,
    render::{Object, Writer, Written},
};
use crate::{
    error::Error,
    store::{
        Access,
        sign_in::{self, Caller},
    },
};

pub struct Tokens<'a>(pub &'a sign_in::Tokens);

impl Object for Tokens<'_> {
    fn type_name(&self) -> &str {
        "Tokens"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "accessToken" => w.str(&self.0.access),
            "accessExpiresAt" => w.moment(self.0.access_until),
            "refreshToken" => w.str(&self.0.refresh),
            "refreshExpiresAt" => w.moment(self.0.refresh_until),
            _ => w.absent(node),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refresh {
    refresh_token: String,
}

#[derive(Deserialize)]
struct Lost {
    email: String,
}

/// The mutations of who is not let in yet, or goes.
pub async fn mutate(access: &Access, name: &str, input: &Input, caller: Caller) -> Done {
    let tokens = match name {
        "signIn" => access.sign_in(&input.read()?, caller).await?,
        "refreshSession" => access.refresh_session(&input.read::<Refresh>()?.refresh_token).await?,
        "changePassword" => access.change_password(&input.read()?, caller).await?,
        _ => {
            match name {
                "signOut" => access.sign_out().await?,
                "signOutEverywhere" => access.sign_out_everywhere().await?,
                "acceptInvitation" => access.accept_invitation(&input.read()?, caller).await?,
                "requestPasswordReset" => {
                    access.request_password_reset(&input.read::<Lost>()?.email, caller).await?;
                }
                "resetPassword" => access.reset_password(&input.read()?, caller).await?,
                _ => return Err(Error::Internal(format!("no mutation {name}")).into()),
            }
            return Ok(Some(Subject::Done));
        }
    };
    Ok(Some(Subject::Tokens(Box::new(tokens))))
}
