//! The questions as GraphQL.

pub const PAGE: &str = "query Page($facility: ID!) {
  distributions(first: 50, filter: {facility: [$facility]}) {
    nodes {
      id occurredOn status peopleReached
      facility { id slug name }
      program { id name { text } }
      lines { quantity item { code name { text } } kit { code } }
    }
    pageInfo { hasNextPage endCursor }
  }
}";

pub const NESTED: &str = "query Nested($country: String!) {
  facilities(first: 20, filter: {country: [$country]}) {
    nodes {
      slug name
      programs(first: 5) { nodes { slug name { text } } }
      distributions(first: 10) {
        nodes { id occurredOn lines { quantity item { code name { text } } kit { code } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}";

pub const STATS: &str = "query Stats($filter: DistributionFilter!) {
  distributionStats(groupBy: [FACILITY, MONTH], first: 1000, filter: $filter) {
    rows { facility { slug } period { start } units }
    truncated
  }
}";

pub const ONE: &str = "query One($id: ID!) {
  distribution(id: $id) {
    id occurredOn status peopleReached
    facility { slug }
    program { name { text } }
    lines { quantity item { code } kit { code } }
  }
}";

pub const RECORD: &str = "mutation Record($input: RecordDistributionInput!) {
  recordDistribution(input: $input) {
    distribution { id version class occurredOn lines { quantity item { code } kit { code } } }
    userErrors { code field message }
  }
}";

pub const STOCK: &str = "query Stock($facility: ID!) {
  stockOnHand(filter: {facility: [$facility]}) {
    quantity asOf
    place { id name }
    lot { id number expiresOn item { code name { text } } kit { code } }
  }
}";

pub const WOMEN: &str = "query Women {
  participants(first: 50) {
    nodes {
      id code
      identity { givenNames familyNames birthDate }
      enrolments(first: 5) { nodes { id status startsOn program { id name { text } } } }
    }
  }
}";

pub const ATTENDANCE: &str = "query Attendance($id: ID!) {
  node(id: $id) {
    ... on Session {
      attendance { id mark minutes participant { id code identity { givenNames familyNames } } }
    }
  }
}";

pub const CHANGES: &str = "query Changes($since: String, $first: Int!) {
  changes(since: $since, first: $first) {
    changes {
      id ended
      node {
        ... on Facility { slug name }
        ... on Program { slug name { text } }
        ... on Item { code name { text } }
        ... on Kit { code }
        ... on StockPlace { name }
        ... on Distribution {
          version status occurredOn peopleReached facility { id } program { id }
          lines { quantity item { id } kit { id } }
        }
      }
    }
    next more
  }
}";

pub const SYNC: &str = "mutation Sync($input: SyncDistributionsInput!) {
  syncDistributions(input: $input) {
    results {
      clientId outcome
      distribution { id version }
      differences { field }
      userErrors { code field message }
    }
  }
}";
