//! What a document costs before it runs.

use serde_json::Value;
use tests::{Client, both};

use crate::world::*;

async fn cost(client: &Client, document: &str) -> u64 {
    let answer = client.query(document, Value::Null).await;
    answer.data();
    answer.json()["extensions"]["cost"]["requested"].as_u64().unwrap()
}

both!(
    async fn a_fragment_costs_what_is_in_it(world: &World) {
        let client = world.coordinator();
        // Lists that say how long they are, lists inside them, and lists that nobody bounds.
        let inside = "slug programs(first: 3) { nodes { slug facilities { slug presences { startsOn } } } }";
        let spelled = format!("{{ facilities(first: 4) {{ nodes {{ {inside} }} }} }}");
        let wanted = cost(&client, &spelled).await;
        for document in [
            format!(
                "{{ facilities(first: 4) {{ nodes {{ ...F }} }} }} fragment F on Facility {{ {inside} }}"
            ),
            format!("{{ facilities(first: 4) {{ nodes {{ ... on Facility {{ {inside} }} }} }} }}"),
            format!(
                "{{ ...Q }} fragment Q on Query {{ facilities(first: 4) {{ ...C }} }} \
                     fragment C on FacilityConnection {{ nodes {{ ...F }} }} fragment F on Facility {{ {inside} }}"
            ),
            "{ facilities(first: 4) { nodes { slug programs(first: 3) { ...P } } } } \
             fragment P on ProgramConnection { nodes { ...O } } \
             fragment O on Program { slug facilities { ...S } } \
             fragment S on Facility { slug presences { ...R } } fragment R on Presence { startsOn }"
                .to_owned(),
        ] {
            assert_eq!(cost(&client, &document).await, wanted, "{document}");
        }
        // The same fragment where its lists are bounded, and where they are not.
        let lists = "fragment F on Facility { presences { startsOn } }";
        let spelled = "{ facility(slug: \"neza\") { presences { startsOn } } \
                       facilities(first: 4) { nodes { presences { startsOn } } } }";
        let spread = format!(
            "{{ facility(slug: \"neza\") {{ ...F }} facilities(first: 4) {{ nodes {{ ...F }} }} }} {lists}"
        );
        assert_eq!(cost(&client, &spread).await, cost(&client, spelled).await);
    }
);
