//! What a running server does beside requests: it hands mails to the host's command, and sweeps what has expired.

use std::{process::Stdio, sync::Arc, time::Duration};

use tokio::{io::AsyncWriteExt, process::Command, time::MissedTickBehavior};

use crate::{
    error::Result,
    store::{Store, mail::Mail},
};

/// How often it is looked for mails.
const LOOK: Duration = Duration::from_secs(5);
/// How many looks there are between two sweeps.
const SWEEP: u32 = 60;
/// How long the host's command may take for one mail.
const PATIENCE: Duration = Duration::from_secs(60);

/// Does the chores until it is dropped.
pub async fn run(store: Arc<Store>, mail_command: Option<String>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0;
    loop {
        looks.tick().await;
        number = (number + 1) % SWEEP;
        let mut done = Ok(());
        if number == 0 {
            done = sweep(&store).await;
        }
        if let (Ok(()), Some(command)) = (&done, &mail_command) {
            done = send_due(&store, command).await.map(drop);
        }
        if let Err(fault) = done {
            tracing::warn!(code = fault.code(), "a chore was not done");
        }
    }
}

async fn sweep(store: &Store) -> Result<()> {
    store.sweep_sign_in().await?;
    store.empty_old_mails().await
}

/// Hands all mails that are due to the command, one after the other, and says how many it has sent.
///
/// # Errors
/// When the database is out of reach.
pub async fn send_due(store: &Store, command: &str) -> Result<usize> {
    let mut sent = 0;
    while let Some(mail) = store.take_mail().await? {
        if hand_over(&mail, command).await {
            store.mail_was_sent(mail.id).await?;
            sent += 1;
        } else {
            tracing::warn!(mail = %mail.id, "the mail command has not sent a mail; it is tried again later");
        }
    }
    Ok(sent)
}

/// Runs the command with the mail as JSON on its input. What it prints is not kept: it could hold the token.
async fn hand_over(mail: &Mail, command: &str) -> bool {
    let mut words = command.split_whitespace();
    let (Some(program), Ok(json)) = (words.next(), serde_json::to_vec(mail)) else { return false };
    let child = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let Ok(mut child) = child else { return false };
    let work = async {
        if let Some(mut input) = child.stdin.take() {
            // A command that reads nothing may succeed all the same.
            let _ = input.write_all(&json).await;
        }
        child.wait().await
    };
    matches!(tokio::time::timeout(PATIENCE, work).await, Ok(Ok(status)) if status.success())
}
