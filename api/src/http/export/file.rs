//! Sending a finished file.

use std::{fs::File, io::Read, time::Duration};

use actix_web::{
    rt,
    web::{self, Bytes},
};
use futures_util::{Stream, stream};
use tokio::{
    sync::mpsc::{Sender, channel},
    time::timeout,
};

/// How much of a file is read at once.
const CHUNK: usize = 64 * 1024;

/// The parts of a file. The file is open, and `held` kept, until all has been taken, or nobody takes it any more, or
/// no part has been taken for so long: who does not read must not keep others waiting.
pub fn parts<H: 'static>(
    file: File,
    held: H,
    patience: Duration,
) -> impl Stream<Item = std::io::Result<Bytes>> {
    let (sender, receiver) = channel(1);
    rt::spawn(hand_over(file, sender, patience, held));
    stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)))
}

async fn hand_over<H>(mut file: File, sender: Sender<std::io::Result<Bytes>>, patience: Duration, _held: H) {
    loop {
        let read = move || {
            let mut chunk = vec![0; CHUNK];
            let length = file.read(&mut chunk);
            (length.map(|length| Bytes::from(chunk).slice(..length)), file)
        };
        let Ok((chunk, back)) = web::block(read).await else { return };
        file = back;
        if chunk.as_ref().is_ok_and(Bytes::is_empty) {
            return;
        }
        let goes_on = chunk.is_ok();
        let taken = timeout(patience, sender.send(chunk)).await;
        if !goes_on || !matches!(taken, Ok(Ok(()))) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Seek, SeekFrom, Write},
        sync::Arc,
    };

    use futures_util::StreamExt;
    use tokio::sync::Semaphore;

    use super::*;

    const PARTS: usize = 5;

    /// The parts of a file, and the turns, of which its sending has taken the only one.
    fn sent(patience: Duration) -> (impl Stream<Item = std::io::Result<Bytes>> + Unpin, Arc<Semaphore>) {
        let turns = Arc::new(Semaphore::new(1));
        let turn = turns.clone().try_acquire_owned().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; PARTS * CHUNK]).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        (Box::pin(parts(file, turn, patience)), turns)
    }

    const LONG: Duration = Duration::from_secs(600);

    #[actix_web::test]
    async fn a_turn_is_over_when_all_has_been_taken() {
        let (mut parts, turns) = sent(LONG);
        // One part waits to be taken and one to take its place: the rest is still in the file.
        for _ in 0..PARTS - 2 {
            assert_eq!(turns.available_permits(), 0);
            assert_eq!(parts.next().await.unwrap().unwrap().len(), CHUNK);
        }
        let rest: Vec<_> = parts.map(|part| part.unwrap().len()).collect().await;
        assert_eq!(rest, [CHUNK; 2]);
        turns.acquire().await.unwrap().forget();
    }

    #[actix_web::test]
    async fn a_turn_is_over_when_the_client_leaves() {
        let (mut parts, turns) = sent(LONG);
        assert_eq!(parts.next().await.unwrap().unwrap().len(), CHUNK);
        assert_eq!(turns.available_permits(), 0);
        drop(parts);
        turns.acquire().await.unwrap().forget();
    }

    #[actix_web::test]
    async fn a_turn_is_over_when_the_client_does_not_read() {
        let (parts, turns) = sent(Duration::from_millis(1));
        turns.acquire().await.unwrap().forget();
        let taken: Vec<_> = parts.collect().await;
        assert!(taken.len() < PARTS, "what was not read in time is left out: {}", taken.len());
    }
}
