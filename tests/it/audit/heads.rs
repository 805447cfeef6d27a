//! Heads outside the database: cut, forged, taken out, and kept elsewhere.

use std::fs;

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::talk::ask;

async fn lines(world: &World) -> Vec<String> {
    let text = fs::read_to_string(folder(world).join("own.jsonl")).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| format!("{line}\n")).collect()
}

async fn with_file(world: &World, text: &str) -> Vec<String> {
    fs::write(folder(world).join("own.jsonl"), text).unwrap();
    wrong(world, "own").await
}

both!(
    async fn what_is_wrong_with_a_file_of_heads_is_named(world: &World) {
        seal_each(world, &["one", "two", "three"]).await;
        // Long enough for every server to have written its heads.
        world.set_now("2026-11-20T12:05:00Z");
        let lines = lines(world).await;
        let whole = lines.concat();
        assert_eq!(with_file(world, &whole).await, [] as [String; 0]);
        let file = folder(world).join("own.jsonl").display().to_string();
        let cut = with_file(world, &lines[..2].concat()).await;
        assert_eq!(cut, [format!("{file}: cut off, it ends with head 2 and the chain with seal 3")]);
        let cut = with_file(world, &whole[..whole.len() - 1]).await;
        assert_eq!(cut[0], format!("{file}, line 3: cut off, or not a head"));
        let out = with_file(world, &[&lines[0][..], &lines[2]].concat()).await;
        assert_eq!(out, [format!("{file}, line 2: heads 2 to 2 are missing before it")]);
        for (member, value) in [
            ("number", json!(4)),
            ("count", json!(1)),
            ("digest", json!("00")),
            ("sealedAt", json!("2026-11-20T11:00:00Z")),
            ("signature", json!("a.b.c")),
        ] {
            let mut line: Value = serde_json::from_str(&lines[1]).unwrap();
            line[member] = value;
            let forged = with_file(world, &[&lines[0][..], &format!("{line}\n"), &lines[2]].concat()).await;
            let said = format!("{file}, line 2: forged");
            assert!(forged[0].starts_with(&said), "{member}: {forged:#?}");
        }
        fs::remove_file(folder(world).join("own.jsonl")).unwrap();
        let gone = wrong(world, "own").await;
        assert_eq!(gone, [format!("{file}: cut off, it ends with head 0 and the chain with seal 3")]);
        // A server that starts writes what is not there.
        seal(world).await;
        assert_eq!(super::heads::lines(world).await.len(), 3);
        assert_eq!(wrong(world, "own").await, [] as [String; 0]);
        fs::write(folder(world).join("nobody.jsonl"), &lines[0]).unwrap();
        let nobody = verified(world, "nobody", Source::Own(folder(world))).await;
        assert!(nobody.faults.listed[0].to_string().contains("is not in the database"));
    }
);

both!(
    async fn a_line_that_a_crash_has_cut_short_is_written_again(world: &World) {
        seal_each(world, &["one", "two"]).await;
        let before = lines(world).await;
        fs::write(folder(world).join("own.jsonl"), before.concat().split_at(before[0].len() + 20).0).unwrap();
        seal_each(world, &["three"]).await;
        let after = lines(world).await;
        assert_eq!((after.len(), &after[0]), (3, &before[0]));
        assert_eq!(wrong(world, "own").await, [] as [String; 0]);
    }
);

both!(
    async fn a_head_that_was_kept_elsewhere_stays_good_when_keys_change(world: &World) {
        seal_each(world, &["one", "two"]).await;
        let auditor = world.member("auditor", "own");
        let fields = "number count digest sealedAt signature";
        let head = ask(&auditor, &format!("{{ auditHead {{ {fields} }} }}")).await["auditHead"].clone();
        let kept: Value = serde_json::from_str(&lines(world).await[1]).unwrap();
        for member in ["number", "count", "digest"] {
            assert_eq!(head[member], kept[member], "{member}");
        }
        let elsewhere = tests::Folder::new();
        let file = elsewhere.path().join("kept.jsonl");
        fs::write(&file, lines(world).await[0].clone()).unwrap();
        seal_each(world, &["three"]).await;
        let now = world.running.store.clock.now();
        let keys = world.data_dir.path().join("keys");
        api::auth::keys::rotate(&keys, api::auth::jwk::Alg::default(), now).unwrap();
        world.set_now("2026-11-20T12:10:00Z");
        assert!(world.running.verifier.reload_if_stale(world.running.store.clock.now()));
        seal_each(world, &["four"]).await;
        let chain = verified(world, "own", Source::Kept(file.clone())).await;
        assert_eq!((chain.rows, chain.heads, chain.unknown_keys, chain.faults.is_empty()), (4, 1, 0, true));
        assert_eq!(wrong(world, "own").await, [] as [String; 0]);
        // When a key is gone, the heads of the next one still stand for all before.
        let ring = world.running.verifier.ring();
        let retired = ring.list().into_iter().find(|key| key.retired_until.is_some()).unwrap();
        fs::remove_file(keys.join(format!("{}.json", retired.kid))).unwrap();
        world.set_now("2026-11-20T12:20:00Z");
        assert!(world.running.verifier.reload_if_stale(world.running.store.clock.now()));
        let chain = verified(world, "own", Source::Own(folder(world))).await;
        assert_eq!((chain.heads, chain.unknown_keys, chain.faults.is_empty()), (4, 3, true));
        let chain = verified(world, "own", Source::Kept(file)).await;
        assert!(
            chain.faults.listed[0]
                .to_string()
                .contains("head 1, the newest, is signed by a key that is not here")
        );
    }
);
