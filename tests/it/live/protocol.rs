//! graphql-transport-ws to the letter, and how a socket ends.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Backend, Socket, block_on, both};
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use super::{IDS, RECORDED, bearer, recorded, small, socket, told};
use crate::world::*;

const INVALID: (u16, &str) = (4400, "Invalid message");

/// How a socket ends on which a message is said.
async fn end_after(mut socket: Socket, message: Value) -> (u16, String) {
    socket.say(message).await;
    socket.closed().await
}

fn end(code: u16, reason: &str) -> (u16, String) {
    (code, reason.to_owned())
}

fn subscribe(id: &str) -> Value {
    json!({ "type": "subscribe", "id": id, "payload": { "query": IDS } })
}

both!(
    async fn each_fault_has_its_code(world: &World) {
        let address = world.address;
        // 4406: another subprotocol, or none.
        for protocols in ["", "Sec-WebSocket-Protocol: graphql-ws, other\r\n"] {
            let mut socket = Socket::by_hand(address, protocols).await;
            assert_eq!(socket.closed().await, end(4406, "Subprotocol not acceptable"));
        }
        // 4401: too early.
        let ended = end_after(Socket::open(address).await, subscribe("1")).await;
        assert_eq!(ended, end(4401, "Unauthorized"));
        // 4429: twice.
        let mut twice = Socket::open(address).await;
        twice.init(json!({})).await;
        let ended = end_after(twice, json!({ "type": "connection_init" })).await;
        assert_eq!(ended, end(4429, "Too many initialisation requests"));
        // 4409: an id that is taken.
        let mut taken = socket(world, "coordinator", "own").await;
        taken.subscribe("one", IDS, Value::Null).await;
        assert_eq!(end_after(taken, subscribe("one")).await, end(4409, "Subscriber for one already exists"));
        // 4403: a token that is none, and one that stands for nobody here.
        let stranger = world.token("demo:nobody:here");
        for (payload, reason) in [
            (json!({ "authorization": "Bearer nonsense" }), "TOKEN_MALFORMED"),
            (json!({ "Authorization": "Basic abc" }), "TOKEN_MALFORMED"),
            (bearer(&stranger), "NO_MEMBERSHIP"),
        ] {
            let init = json!({ "type": "connection_init", "payload": payload });
            assert_eq!(end_after(Socket::open(address).await, init).await, end(4403, reason));
        }
        // 4400: what is no message of the protocol.
        for message in [
            json!([]),
            json!({ "type": "start", "id": "1", "payload": { "query": IDS } }),
            json!({ "type": "subscribe", "payload": { "query": IDS } }),
            json!({ "type": "connection_init", "payload": { "authorization": 1 } }),
        ] {
            assert_eq!(end_after(Socket::open(address).await, message).await, end(INVALID.0, INVALID.1));
        }
        for message in [Message::text("nothing"), Message::binary(Bytes::from_static(b"{}"))] {
            let mut socket = Socket::open(address).await;
            socket.send(message).await;
            assert_eq!(socket.closed().await, end(INVALID.0, INVALID.1));
        }
    }
);

/// A ping of this many bytes and some.
fn long_ping(bytes: usize) -> Value {
    json!({ "type": "ping", "payload": { "text": "x".repeat(bytes) } })
}

/// The frames in which a message may come.
fn frames(message: &Value, size: usize) -> Vec<Message> {
    let bytes = message.to_string().into_bytes();
    let count = bytes.len().div_ceil(size);
    let frames = bytes.chunks(size).enumerate().map(|(place, part)| {
        let kind = if place == 0 { Data::Text } else { Data::Continue };
        Message::Frame(Frame::message(part.to_vec(), OpCode::Data(kind), place + 1 == count))
    });
    frames.collect()
}

both!(
    async fn a_message_may_be_so_large_and_a_first_one_less(world: &World) {
        let too_large = end(1009, "The message is too large");
        let mut unknown = Socket::open(world.address).await;
        unknown.say(long_ping(8_000)).await;
        assert_eq!(unknown.hear().await["type"], json!("pong"));
        assert_eq!(end_after(unknown, long_ping(8_200)).await, too_large);
        let mut in_frames = Socket::open(world.address).await;
        for frame in frames(&long_ping(8_200), 4_000) {
            in_frames.send(frame).await;
        }
        assert_eq!(in_frames.closed().await, too_large);

        let mut known = Socket::open(world.address).await;
        for frame in frames(&json!({ "type": "connection_init" }), 10) {
            known.send(frame).await;
        }
        assert_eq!(known.hear().await, json!({ "type": "connection_ack" }));
        known.say(long_ping(200_000)).await;
        assert_eq!(known.hear().await["type"], json!("pong"));
        for frame in frames(&long_ping(200_000), 50_000) {
            known.send(frame).await;
        }
        assert_eq!(known.hear().await["type"], json!("pong"));
        for frame in frames(&long_ping(300_000), 100_000) {
            known.send(frame).await;
        }
        assert_eq!(known.closed().await, too_large);
        let mut known = Socket::open(world.address).await;
        known.init(json!({})).await;
        assert_eq!(end_after(known, long_ping(300_000)).await, too_large);
    }
);

both!(
    async fn a_conversation(world: &World) {
        let mut socket = Socket::open(world.address).await;
        // Pings are answered at any time, with what they bring.
        socket.say(json!({ "type": "ping", "payload": { "n": 1 } })).await;
        assert_eq!(socket.hear().await, json!({ "type": "pong", "payload": { "n": 1 } }));
        socket.say(json!({ "type": "pong" })).await;
        socket.init(bearer(&world.token("demo:coordinator:own"))).await;
        socket.subscribe("a", IDS, Value::Null).await;
        socket.subscribe("b", IDS, Value::Null).await;
        let one = recorded(&world.coordinator(), "one").await;
        assert_eq!(told(&mut socket, "a").await.0, one);
        assert_eq!(told(&mut socket, "b").await.0, one);
        // One that is completed says nothing more, and its id is free. Others go on.
        socket.say(json!({ "type": "complete", "id": "a" })).await;
        socket.say(json!({ "type": "complete", "id": "unknown" })).await;
        socket.round_trip().await;
        let two = recorded(&world.coordinator(), "two").await;
        assert_eq!(told(&mut socket, "b").await.0, two);
        socket.say(json!({ "type": "complete", "id": "b" })).await;
        socket.subscribe("a", IDS, Value::Null).await;
        let three = recorded(&world.coordinator(), "three").await;
        assert_eq!(told(&mut socket, "a").await.0, three);
        // The token may come in the headers as well.
        let token = format!("Bearer {}", world.token("demo:coordinator:own"));
        let headers = [("sec-websocket-protocol", "graphql-transport-ws"), ("authorization", token.as_str())];
        let mut by_header = Socket::with(world.address, &headers).await;
        by_header.init(Value::Null).await;
        by_header.subscribe("s", RECORDED, Value::Null).await;
        let four = small(&world.coordinator(), "four").await;
        assert_eq!(told(&mut by_header, "s").await.0, four);
    }
);

both!(
    async fn what_cannot_be_subscribed_to_is_refused_by_the_same_wall(world: &World) {
        let code = |fault: &Value| fault[0]["extensions"]["code"].as_str().unwrap_or_default().to_owned();
        let mut staff = socket(world, "coordinator", "own").await;
        for (document, expected) in [
            ("{ viewer { audience } }", "OPERATION_NOT_SERVED"),
            ("mutation { createItem { item { id } } }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { distributionRecorded", "GRAPHQL_PARSE_FAILED"),
            ("subscription { nothing { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { distributionRecorded { id secret } }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { distributionRecorded }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { distributionRecorded(facility: [\"x\"]) { id } }", "BAD_USER_INPUT"),
            ("subscription { distributionRecorded(after: \"x\") { id } }", "BAD_USER_INPUT"),
            ("subscription { stockBelowCover(days: 0) { cover { days } } }", "BAD_USER_INPUT"),
            ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
            (
                "subscription { a: distributionRecorded { id } b: distributionRecorded { id } }",
                "BAD_USER_INPUT",
            ),
            ("subscription { distributionRecorded @skip(if: true) { id } }", "BAD_USER_INPUT"),
        ] {
            assert_eq!(code(&staff.refused(document).await), expected, "{document}");
        }
        // What is hidden is not there, for a partner and for nobody, in the same words on a socket and by POST.
        let mut partner = socket(world, "partner", "ally").await;
        let mut nobody = Socket::open(world.address).await;
        nobody.init(Value::Null).await;
        let client = world.anonymous();
        for (socket, client, document) in [
            (&mut partner, &world.partner(), "subscription { stockBelowCover(days: 9) { cover { days } } }"),
            (&mut nobody, &client, "subscription { distributionRecorded { id } }"),
        ] {
            let fault = socket.refused(document).await;
            assert_eq!(client.query(document, Value::Null).await.errors(), fault.as_array().unwrap());
            let start = document.find("{ ").unwrap() + 2;
            let name: String = document[start..].chars().take_while(char::is_ascii_alphanumeric).collect();
            let other = "q".repeat(name.len());
            let unknown = socket.refused(&document.replace(&name, &other)).await;
            assert_eq!(unknown.to_string().replace(&other, &name), fault.to_string());
        }
        // A role without the right is told so.
        let mut auditor = socket(world, "auditor", "own").await;
        assert_eq!(
            code(&auditor.refused("subscription { distributionRecorded { id } }").await),
            "NOT_PERMITTED"
        );
        let by_post = world.coordinator().query(IDS, Value::Null).await;
        assert_eq!(by_post.code(), "OPERATION_NOT_SERVED");
    }
);

both!(
    async fn there_are_only_so_many(world: &World) {
        let mut staff = socket(world, "coordinator", "own").await;
        for id in ["1", "2", "3"] {
            staff.subscribe(id, IDS, Value::Null).await;
        }
        let fault = staff.refused("subscription { distributionRecorded { id } }").await;
        assert_eq!(fault[0]["extensions"]["code"], json!("TOO_MANY_SUBSCRIPTIONS"));
        staff.say(json!({ "type": "complete", "id": "2" })).await;
        staff.subscribe("4", IDS, Value::Null).await;
        // Three sockets of one account; those of others are theirs.
        let init =
            json!({ "type": "connection_init", "payload": bearer(&world.token("demo:coordinator:own")) });
        let mut more =
            vec![socket(world, "coordinator", "own").await, socket(world, "coordinator", "own").await];
        let fourth = Socket::open(world.address).await;
        assert_eq!(end_after(fourth, init).await, end(1013, "Too many sockets"));
        more.push(socket(world, "coordinator2", "own").await);
        // Ten in all.
        for _ in 0..6 {
            more.push(Socket::open(world.address).await);
        }
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        assert_eq!(Socket::tried(world.address, &protocol).await.err(), Some(503));
    }
);

both!(
    async fn a_socket_ends_with_its_credential(world: &World) {
        // The token expires while nothing happens.
        let mut idle = socket(world, "coordinator", "own").await;
        idle.subscribe("s", IDS, Value::Null).await;
        world.set_now("2026-11-21T13:00:00Z");
        assert_eq!(idle.closed().await, end(4403, "TOKEN_EXPIRED"));
        // The membership is taken away; the next event is not told.
        let mut former = socket(world, "coordinator2", "own").await;
        former.subscribe("s", IDS, Value::Null).await;
        let account = match world.database.backend {
            Backend::Sqlite => format!("x'{}'", crate::seed::account(2).simple()),
            Backend::Postgres => format!("'{}'", crate::seed::account(2)),
        };
        world
            .sql(&format!("UPDATE membership SET ends_on = '2026-11-20' WHERE account_id = {account}"))
            .await;
        recorded(&world.coordinator(), "one").await;
        assert_eq!(former.closed().await, end(4403, "NO_MEMBERSHIP"));
        // So with another role: what was subscribed to was for staff.
        let mut staff = socket(world, "coordinator", "own").await;
        staff.subscribe("s", IDS, Value::Null).await;
        let client = world.member("steward", "own");
        let mut auditor = socket(world, "steward", "own").await;
        auditor.subscribe("s", IDS, Value::Null).await;
        world.sql("UPDATE membership SET role = 'AUDITOR' WHERE role = 'STEWARD'").await;
        world.sql("UPDATE membership SET role = 'PARTNER' WHERE role = 'COORDINATOR'").await;
        // Whoever asks: the next request tells the server, as any would.
        assert_eq!(
            client.query("{ distributions(first: 1) { totalCount } }", Value::Null).await.code(),
            "NOT_PERMITTED"
        );
        recorded(&world.member("field", "own"), "two").await;
        assert_eq!(staff.closed().await, end(4403, "VIEWER_CHANGED"));
        let said = auditor.hear().await;
        assert_eq!((&said["type"], &said["id"]), (&json!("error"), &json!("s")));
        assert_eq!(said["payload"][0]["extensions"]["code"], json!("NOT_PERMITTED"));
    }
);

both!(
    async fn browsers_open_sockets_from_known_origins(world: &World) {
        let own = format!("http://{}", world.address);
        for (origin, status) in [
            ("https://portal.example", None),
            (own.as_str(), None),
            ("https://elsewhere.example", Some(403)),
            ("null", Some(403)),
        ] {
            let headers = [("sec-websocket-protocol", "graphql-transport-ws"), ("origin", origin)];
            assert_eq!(Socket::tried(world.address, &headers).await.err(), status, "{origin}");
        }
    }
);

both!(
    async fn what_is_no_handshake_is_refused(world: &World) {
        let answer = world.anonymous().request("GET", "/graphql").header("upgrade", "websocket").send().await;
        answer.expect_status(400);
        assert_eq!(answer.code(), "BAD_REQUEST");
    }
);

#[test]
fn who_says_nothing_does_not_take_the_places_of_others() {
    block_on(async {
        let world = World::configured(Backend::Sqlite, |config| config.sockets.waiting = 2).await;
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        let mut one = Socket::open(world.address).await;
        let two = Socket::open(world.address).await;
        assert_eq!(Socket::tried(world.address, &protocol).await.err(), Some(503));
        // One that says who it is for makes room, and so does one that ends.
        one.init(json!({})).await;
        let mut three = Socket::open(world.address).await;
        assert_eq!(Socket::tried(world.address, &protocol).await.err(), Some(503));
        assert_eq!(end_after(two, json!([])).await, end(INVALID.0, INVALID.1));
        let _four = Socket::open(world.address).await;
        assert_eq!(Socket::tried(world.address, &protocol).await.err(), Some(503));
        three.round_trip().await;
    });
}

#[test]
fn who_says_nothing_is_not_waited_for() {
    block_on(async {
        let world = World::configured(Backend::Sqlite, |config| {
            config.sockets.init_time = Duration::from_millis(100);
        })
        .await;
        let mut socket = Socket::open(world.address).await;
        assert_eq!(socket.closed().await, end(4408, "Connection initialisation timeout"));
    });
}

#[test]
fn who_does_not_answer_pings_is_given_up() {
    block_on(async {
        let world = World::configured(Backend::Sqlite, |config| {
            config.sockets.ping_time = Duration::from_secs(1);
        })
        .await;
        let (silent, mut alive) = (Socket::open(world.address).await, Socket::open(world.address).await);
        // With the third ping, one that had left two without an answer would have been closed.
        let (end_of_silent, ()) = tokio::join!(silent.closed_in_silence(), alive.answer_pings(4));
        assert_eq!(end_of_silent, end(1001, "No answer to a ping"));
    });
}
