//! The rules of selection, one by one.

use disclosure::*;

use crate::support::*;

/// So many women in each facility, all in one program and of one age, half of whom say yes.
fn facilities(sizes: [usize; 4]) -> Vec<Woman> {
    let places = sizes.iter().enumerate().flat_map(|(facility, &size)| std::iter::repeat_n(facility, size));
    let woman = |(at, facility)| Woman { unit: Unit(at as u32), facility, program: 0, age: 1 };
    places.enumerate().map(woman).collect()
}

fn half(women: &[Woman]) -> Values {
    Values::Yes(women.iter().map(|w| w.unit).filter(|unit| unit.0 % 2 == 0).collect())
}

fn published(history: &History, snapshot: &Snapshot, registry: &Registry) -> Prepared {
    prepare(history, snapshot, registry, &Parameters::default()).unwrap()
}

fn one(snapshot: &Snapshot, variables: &[Variable]) -> Vec<Coordinates> {
    let prepared = published(&History::default(), snapshot, &registry(variables));
    shown(&prepared.public).into_keys().map(|(_, coordinates)| coordinates).collect()
}

#[test]
fn thresholds_of_counts_answers_means_and_sums() {
    let women = facilities([22, 23, 25, 9]);
    let measures = || {
        vec![
            ("enrolled", Values::Members(units(&women))),
            ("busy", half(&women)),
            ("income", Values::Amounts(Default::default())),
            ("earned", Values::Amounts(women.iter().map(|w| (w.unit, 9000)).collect())),
        ]
    };
    let registry = registry(&[
        variable("enrolled", ENROLLED),
        variable("busy", BUSY),
        variable("income", INCOME),
        variable("earned", EARNED),
    ]);
    let prepared = published(&History::default(), &snapshot(2024, &women, measures()), &registry);
    let cells = shown(&prepared.public);
    let figure = |variable: &str, facility: &str| {
        cells.get(&(variable.into(), at(&[("facility", facility)]))).map(|(figure, _)| *figure)
    };
    let count = |at_least, at_most| Some(Figure::Count { women: Interval { at_least, at_most } });
    assert_eq!(figure("enrolled", "F1"), count(20, 24));
    assert_eq!(figure("enrolled", "F4"), count(0, 9));
    assert_eq!(figure("busy", "F1"), None);
    assert!(figure("busy", "F2").is_some());
    assert_eq!(figure("income", "F2"), None);
    // Nobody gave an amount: each counts as the lower end.
    let base = Interval { at_least: 25, at_most: 29 };
    assert_eq!(
        figure("income", "F3"),
        Some(Figure::Mean { base, mean: Interval { at_least: 0, at_most: 1000 } })
    );
    assert_eq!(figure("earned", "F2"), None);
    // Each is counted with the most that the range allows, and the last band takes what is left of it.
    let sum = Interval { at_least: 20_000, at_most: 59_999 };
    assert_eq!(figure("earned", "F3"), Some(Figure::Sum { base, sum }));
}

#[test]
fn nobody_and_nine_are_the_same_marker() {
    let women = facilities([30, 9, 0, 30]);
    let snapshot = snapshot(2024, &women, vec![("enrolled", Values::Members(units(&women)))]);
    let prepared = published(&History::default(), &snapshot, &registry(&[variable("enrolled", ENROLLED)]));
    let cells = shown(&prepared.public);
    let figure = |facility: &str| cells[&("enrolled".into(), at(&[("facility", facility)]))].0;
    assert_eq!(figure("F2"), figure("F3"));
}

#[test]
fn a_facility_that_is_nearly_everybody_is_not_shown_beside_the_total() {
    let women = facilities([60, 9, 0, 0]);
    let cells = one(&snapshot(2024, &women, vec![("busy", half(&women))]), &[variable("busy", BUSY)]);
    // The same women in one program and of one age are the total over again; the facility lacks nine of them.
    assert!(cells.contains(&at(&[])) && cells.contains(&at(&[("age", "30-44"), ("program", "WEAVING")])));
    assert!(!cells.iter().any(|cell| cell.contains_key(&"facility".into())));
    let women = facilities([60, 10, 0, 0]);
    let cells = one(&snapshot(2024, &women, vec![("busy", half(&women))]), &[variable("busy", BUSY)]);
    assert!(cells.contains(&at(&[("facility", "F1")])));
}

#[test]
fn what_could_be_retaliated_for_is_never_by_facility_or_age_and_covers_two_facilities() {
    let kind = Kind::Answer { class: RiskClass::Retaliation };
    let asked = |women: &[Woman]| {
        one(&snapshot(2024, women, vec![("beaten", half(women))]), &[variable("beaten", kind)])
    };
    let program = at(&[("program", "WEAVING")]);
    assert_eq!(asked(&facilities([30, 30, 30, 0])), [at(&[]), program.clone()]);
    assert!(asked(&facilities([20, 19, 0, 0])).is_empty(), "forty women at least");
    assert!(asked(&facilities([60, 9, 0, 0])).is_empty(), "two facilities with ten women each at least");

    // Two programs: one in two facilities, the other in one, so that the rest would be about that one.
    let mut women = facilities([40, 40, 0, 0]);
    women.iter_mut().filter(|w| w.facility == 0 && w.unit.0 >= 20).for_each(|w| w.program = 1);
    assert_eq!(asked(&women), [at(&[])]);
    women.iter_mut().filter(|w| w.facility == 1 && w.unit.0 >= 60).for_each(|w| w.program = 1);
    assert_eq!(asked(&women), [at(&[]), at(&[("program", "SEWING")]), program]);
}

#[test]
fn what_is_left_of_such_a_cell_covers_two_facilities_too() {
    let kind = Kind::Answer { class: RiskClass::Retaliation };
    let women = facilities([30, 30, 60, 30]);
    let of =
        |wanted: fn(&Woman) -> bool| women.iter().filter(|w| wanted(w)).map(|w| w.unit).collect::<UnitSet>();
    let area = |code: &str| Dimension {
        code: code.into(),
        role: Role::Area,
        categories: vec!["IN".into()],
        sensitive: Default::default(),
    };
    // Each dimension has one category; a table of it and no table of the total.
    let shown_of = |groups: [(&str, UnitSet); 2]| {
        let mut registry = registry(&[variable("beaten", kind)]);
        registry.tables.clear();
        let mut asked = snapshot(2024, &women, vec![("beaten", half(&women))]);
        for (code, members) in groups {
            registry.dimensions.push(area(code));
            registry.drop_order.push(code.into());
            let dimensions = vec![code.into()];
            registry.tables.push(TableSpec { code: code.into(), variable: "beaten".into(), dimensions });
            asked.rounds[0].groups.insert(code.into(), [("IN".into(), members)].into());
        }
        let prepared = published(&History::default(), &asked, &registry);
        shown(&prepared.public).into_keys().map(|(_, cell)| cell).collect::<Vec<_>>()
    };
    let (north, south) = (of(|w| w.facility < 2), of(|w| w.facility >= 2));
    assert_eq!(shown_of([("north", north.clone()), ("south", south)]).len(), 2);
    // All but one facility: the rest is that one, though nobody has published the total.
    let even = of(|w| w.facility % 2 == 1);
    assert_eq!(shown_of([("even", even), ("most", of(|w| w.facility < 3))]), [at(&[("even", "IN")])]);
    // North and half of a third facility: without the north, it is about that half.
    let more = of(|w| w.facility < 2 || w.facility == 2 && w.unit.0 % 2 == 0);
    assert_eq!(shown_of([("north", north.clone()), ("more", more.clone())]), [at(&[("north", "IN")])]);
    assert_eq!(shown_of([("more", more), ("north", north)]), [at(&[("more", "IN")])]);
}

#[test]
fn a_sensitive_count_covers_two_facilities_and_so_do_the_others() {
    let kind = Kind::Count { sensitive: true };
    let counted = |women: &[Woman], members: UnitSet| {
        one(&snapshot(2024, women, vec![("therapy", Values::Members(members))]), &[variable("therapy", kind)])
    };
    let women = facilities([40, 40, 40, 0]);
    let of = |facility: usize, most: usize| {
        units(&women.iter().copied().filter(|w| w.facility == facility).take(most).collect::<Vec<_>>())
    };
    assert!(counted(&women, of(0, 40)).is_empty(), "all in one facility");
    assert!(counted(&women, units(&women)).is_empty(), "everybody");
    assert!(
        counted(&women, of(0, 40).or(&of(1, 40))).is_empty(),
        "those who are not, are all in one facility"
    );
    let both = counted(&women, of(0, 20).or(&of(1, 20)));
    assert!(both.contains(&at(&[])) && !both.contains(&at(&[("facility", "F1")])), "{both:?}");
}

#[test]
fn a_sensitive_program_is_shown_over_two_facilities_only() {
    let mut women = facilities([60, 60, 60, 0]);
    women.iter_mut().filter(|w| w.facility < 2 && w.unit.0 % 2 == 0).for_each(|w| w.program = 2);
    let mut registry = registry(&[variable("enrolled", ENROLLED), variable("busy", BUSY)]);
    let cells = |registry: &Registry| {
        let measures = vec![("enrolled", Values::Members(units(&women))), ("busy", half(&women))];
        let prepared = published(&History::default(), &snapshot(2024, &women, measures), registry);
        shown(&prepared.public).into_keys().collect::<Vec<_>>()
    };
    let by_facility = |variable: &str, facility: &str| {
        (variable.into(), at(&[("facility", facility), ("program", "ARTS")]))
    };
    let before = cells(&registry);
    registry.dimensions[1].sensitive.insert("ARTS".into());
    let after = cells(&registry);
    for variable in ["enrolled", "busy"] {
        assert!(
            before.contains(&by_facility(variable, "F1")) && !after.contains(&by_facility(variable, "F1"))
        );
        assert!(after.contains(&(variable.into(), at(&[("program", "ARTS")]))));
        assert!(after.contains(&(variable.into(), at(&[("facility", "F1"), ("program", "WEAVING")]))));
    }
    // Where there is none of it, not even "below ten" is said.
    assert!(
        before.contains(&by_facility("enrolled", "F4")) && !after.contains(&by_facility("enrolled", "F4"))
    );
}

#[test]
fn a_register_gives_shares_of_all_eligible_women() {
    let women = facilities([60, 60, 0, 0]);
    let registry = registry(&[variable("released", Kind::Answer { class: RiskClass::Operations })]);
    let mut kept = snapshot(2024, &women, vec![("released", half(&women))]);
    kept.rounds[0].kind = RoundKind::Register;
    kept.rounds[0].respondents = UnitSet::new();
    let prepared = published(&History::default(), &kept, &registry);
    assert_eq!(prepared.record.measurements[0].cells[0].members.len(), 120);
    assert!(prepared.public.response_rates.is_empty());
}

#[test]
fn an_anonymous_round_gives_one_total_and_no_trend() {
    let women = facilities([60, 60, 60, 60]);
    let registry = registry(&[variable("busy", BUSY)]);
    let mut anonymous = snapshot(2023, &women, vec![("busy", half(&women))]);
    anonymous.rounds[0].kind = RoundKind::AnonymousSurvey;
    // Withdrawals are by women, and sheets have no women.
    anonymous.withdrawn.insert(Unit(1));
    let mut history = History::default();
    let first = published(&history, &anonymous, &registry);
    let keys: Vec<_> = shown(&first.public).into_keys().collect();
    assert_eq!(keys, [("busy".into(), at(&[]))]);
    assert_eq!(first.record.measurements[0].cells[0].members.len(), 240);
    history.publish(first.record);

    anonymous.period = Period::Year { year: 2024 };
    anonymous.rounds[0].code = "R2024".into();
    assert!(shown(&published(&history, &anonymous, &registry).public).is_empty());
    let linked = snapshot(2025, &women, vec![("busy", half(&women))]);
    assert!(shown(&published(&history, &linked, &registry).public).is_empty());
}

#[test]
fn the_response_rate_is_one_band_of_a_round_and_stays() {
    let women = facilities([100, 0, 0, 0]);
    let registry = registry(&[variable("busy", BUSY)]);
    let mut asked = snapshot(2024, &women, vec![("busy", half(&women))]);
    asked.rounds[0].respondents = units(&women[..80]);
    let mut history = History::default();
    let first = published(&history, &asked, &registry);
    let share = |women, yes| {
        yes_band(women, yes, &Parameters::default()).map(|yes| Figure::Share {
            base: count_band(women, &Parameters::default()),
            percent: percent_band(women, yes),
        })
    };
    assert_eq!(first.public.response_rates, [ResponseRate { round: "R2024".into(), figure: share(100, 80) }]);
    assert_eq!(first.record.measurements[0].cells[0].members.len(), 80);
    let rates = first.public.response_rates.clone();
    history.publish(first.record);
    // The same round once more, for another question and with another number of respondents: the first figure stays.
    let registry = crate::support::registry(&[variable("busy", BUSY), variable("rested", BUSY)]);
    asked.rounds[0].measures[0].variable = "rested".into();
    asked.rounds[0].respondents = units(&women[..30]);
    assert_eq!(published(&history, &asked, &registry).public.response_rates, rates);
}

fn known(published: impl IntoIterator<Item = u32>, partners: &[&[u32]]) -> Known {
    let partners = partners.iter().map(|partner| partner.iter().copied().map(Unit).collect());
    Known { published: published.into_iter().map(Unit).collect(), partners: partners.collect() }
}

#[test]
fn known_answers_are_no_cover_for_others() {
    // Twenty-three women, of whom eight said yes: the first band but one, at its lower edge.
    let women = facilities([23, 0, 0, 0]);
    let yes: UnitSet = (0..8).map(Unit).collect();
    let mut asked = snapshot(2024, &women, vec![("busy", Values::Yes(yes))]);
    let registry = registry(&[variable("busy", BUSY)]);
    let mut outcome = |known: Known| {
        asked.known.insert("busy".into(), known);
        published(&History::default(), &asked, &registry).report.variables[0].outcome.clone()
    };
    assert_eq!(outcome(Known::default()), Outcome::Whole);
    // Who said yes needs four who said no to take her place. Readers know eleven, then twelve, of the fifteen.
    assert_eq!(outcome(known(8..19, &[])), Outcome::Whole);
    assert_eq!(outcome(known(8..20, &[])), Outcome::Dropped);
    // The same in the hands of two partners who could talk to each other.
    let (few, others): (Vec<u32>, Vec<u32>) = ((8..14).collect(), (14..20).collect());
    assert_eq!(outcome(known([], &[&few, &others])), Outcome::Dropped);
    // A partner knows all who said yes; each of them is safe from the others, who know eleven that said no.
    let (yes, no): (Vec<u32>, Vec<u32>) = ((0..8).collect(), (8..19).collect());
    assert_eq!(outcome(known([], &[&yes, &no])), Outcome::Whole);
    // But not from readers who know twelve that said no.
    assert_eq!(outcome(known(8..20, &[&yes])), Outcome::Dropped);
}

#[test]
fn a_failed_audit_takes_age_first_for_the_whole_question() {
    // The young of each facility are at an edge, and their counterparts are known outside.
    let mut women = facilities([46, 46, 0, 0]);
    women.iter_mut().filter(|w| w.unit.0 % 46 < 23).for_each(|w| w.age = 0);
    let yes: UnitSet = women.iter().filter(|w| w.age == 1 || w.unit.0 % 46 < 8).map(|w| w.unit).collect();
    let mut asked = snapshot(2024, &women, vec![("busy", Values::Yes(yes))]);
    let registry = registry(&[variable("busy", BUSY)]);
    let whole = published(&History::default(), &asked, &registry);
    assert_eq!(whole.report.variables[0].outcome, Outcome::Whole);
    assert!(shown(&whole.public).keys().any(|(_, cell)| cell.contains_key(&"age".into())));

    asked.known.insert("busy".into(), known((8..20).chain(54..66), &[]));
    let cut = published(&History::default(), &asked, &registry);
    assert_eq!(cut.report.variables[0].outcome, Outcome::Without(vec!["age".into()]));
    let cells = shown(&cut.public);
    assert!(cells.keys().all(|(_, cell)| !cell.contains_key(&"age".into())));
    assert!(cells.contains_key(&("busy".into(), at(&[("facility", "F1")]))));
    // Readers see the same word as for every other reason.
    let text = serde_json::to_string(&cut.public).unwrap();
    assert!(text.contains("NotReleased") && !text.contains("Without"));
}

#[test]
fn a_variable_has_one_release_in_a_period_and_one_measure_in_a_snapshot() {
    let women = facilities([60, 0, 0, 0]);
    let registry = registry(&[variable("busy", BUSY), variable("enrolled", ENROLLED)]);
    let asked = snapshot(2024, &women, vec![("busy", half(&women))]);
    let mut history = History::default();
    history.publish(published(&history, &asked, &registry).record);
    let refused =
        |snapshot: &Snapshot| prepare(&history, snapshot, &registry, &Parameters::default()).unwrap_err();
    assert_eq!(refused(&asked), Refusal::AlreadyReleased("busy".into()));

    let mut later = asked.clone();
    later.period = Period::Year { year: 2025 };
    assert_eq!(
        refused(&later),
        Refusal::AlreadyReleased("busy".into()),
        "the same survey under another year"
    );

    let mut twice = asked.clone();
    twice.period = Period::Year { year: 2025 };
    twice.rounds[0].code = "R2025".into();
    twice.rounds.push(Round { code: "again".into(), ..twice.rounds[0].clone() });
    assert_eq!(refused(&twice), Refusal::Snapshot("a variable is measured twice in one period"));

    let mut quarterly = asked;
    quarterly.period = Period::Quarter { year: 2025, quarter: 1 };
    let expected = Refusal::Snapshot("a measure does not fit its variable, its round or the period");
    assert_eq!(refused(&quarterly), expected);
}

#[test]
fn a_published_variable_keeps_its_meaning() {
    let women = facilities([60, 0, 0, 0]);
    let mut history = History::default();
    let asked = snapshot(2024, &women, vec![("busy", half(&women))]);
    history.publish(published(&history, &asked, &registry(&[variable("busy", BUSY)])).record);
    let asked = snapshot(2025, &women, vec![("busy", half(&women))]);
    let changed = registry(&[persistent("busy", BUSY)]);
    let refused = prepare(&history, &asked, &changed, &Parameters::default());
    assert_eq!(refused.unwrap_err(), Refusal::VariableChanged("busy".into()));
}

#[test]
fn a_range_has_two_ends_in_their_order() {
    let women = facilities([60, 0, 0, 0]);
    let asked = snapshot(2024, &women, vec![("busy", half(&women))]);
    let class = RiskClass::SelfReported;
    for kind in [Kind::Mean { class, lower: 1, upper: 1 }, Kind::Sum { class, upper: 0 }] {
        let registry = registry(&[variable("busy", BUSY), variable("income", kind)]);
        let refused = prepare(&History::default(), &asked, &registry, &Parameters::default()).unwrap_err();
        assert_eq!(refused, Refusal::Registry("the ends of a range are in the wrong order or too large"));
    }
}

#[test]
fn who_waits_is_told_after_each_variable() {
    let women = facilities([60, 0, 0, 0]);
    let registry = registry(&[variable("busy", BUSY), variable("enrolled", ENROLLED)]);
    let measures = vec![("busy", half(&women)), ("enrolled", Values::Members(units(&women)))];
    let asked = snapshot(2024, &women, measures);
    let mut told = Vec::new();
    let mut observe = |done, of| told.push((done, of));
    let (history, parameters) = (History::default(), Parameters::default());
    let observed = prepare_observed(&history, &asked, &registry, &parameters, &mut observe).unwrap();
    assert_eq!(told, [(1, 2), (2, 2)]);
    assert_eq!(observed, published(&history, &asked, &registry));
}

#[test]
fn parameters_that_do_not_fit_together_are_refused() {
    let women = facilities([60, 0, 0, 0]);
    let asked = snapshot(2024, &women, vec![("busy", half(&women))]);
    let registry = registry(&[variable("busy", BUSY)]);
    let narrow = Parameters { answer_width: 4, ..Parameters::default() };
    assert_eq!(prepare(&History::default(), &asked, &registry, &narrow).unwrap_err(), Refusal::Parameters);
}
