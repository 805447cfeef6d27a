//! The columns of each kind of file, for the parser, for help and for documents.

use super::Kind;

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub name: &'static str,
    /// Whether a file must have it; some optional columns exclude or complete each other.
    pub required: bool,
    /// The HXL tag that stands for it.
    pub hxl: &'static str,
    pub meaning: &'static str,
    /// The meaning in Spanish.
    pub meaning_es: &'static str,
}

const fn required(
    name: &'static str,
    hxl: &'static str,
    meaning: &'static str,
    meaning_es: &'static str,
) -> Header {
    Header { name, required: true, hxl, meaning, meaning_es }
}

const fn optional(
    name: &'static str,
    hxl: &'static str,
    meaning: &'static str,
    meaning_es: &'static str,
) -> Header {
    Header { name, required: false, hxl, meaning, meaning_es }
}

const NAME_ES: (&str, &str) =
    ("Name in Spanish; one of the two names is required.", "Nombre en español; hace falta uno de los dos.");
const NAME_EN: (&str, &str) =
    ("Name in English; one of the two names is required.", "Nombre en inglés; hace falta uno de los dos.");
const ORIGINAL: (&str, &str) = (
    "es or en: the language first written in; es if it is there.",
    "es o en: la lengua en que se escribió primero; es si la hay.",
);
const SLUG: (&str, &str) = (
    "Short name in addresses: lower case, digits and hyphens.",
    "Nombre corto en direcciones: minúsculas, dígitos y guiones.",
);

const DISTRIBUTIONS: &[Header] = &[
    required(
        "key",
        "#meta+id",
        "Your own name for the delivery; rows with the same key are its lines.",
        "El nombre que usted da a la entrega; las filas con la misma clave son sus renglones.",
    ),
    required("facility", "#loc+facility+code", "Slug of the facility.", "Nombre corto del centro."),
    required("program", "#activity+code", "Slug of the program.", "Nombre corto del programa."),
    required("occurred_on", "#date+occurred", "Day of the delivery.", "Día de la entrega."),
    required(
        "people_reached",
        "#reached+f+ind",
        "Women reached by the whole delivery.",
        "Mujeres alcanzadas por toda la entrega.",
    ),
    required(
        "reach_method",
        "#meta+method",
        "COUNTED, ESTIMATED_PER_KIT or ESTIMATED_OTHER.",
        "COUNTED (contadas), ESTIMATED_PER_KIT (estimadas por kit) o ESTIMATED_OTHER (otra estimación).",
    ),
    optional(
        "item",
        "#item+code",
        "Code of the item handed over; either this or the kit.",
        "Código del artículo entregado; este o el kit.",
    ),
    optional(
        "kit",
        "#item+kit+code",
        "Code of the kit handed over; either this or the item.",
        "Código del kit entregado; este o el artículo.",
    ),
    optional(
        "kit_version",
        "#item+kit+version",
        "Version of the kit; the one valid on the day if empty.",
        "Versión del kit; si está vacía, la que regía ese día.",
    ),
    required("quantity", "#output+num", "How many of the item or kit.", "Cuántos del artículo o del kit."),
    optional(
        "line_people_reached",
        "#reached+f+ind+line",
        "Women reached by this line; all if empty.",
        "Mujeres alcanzadas por este renglón; todas si está vacío.",
    ),
    optional(
        "status",
        "#status",
        "DELIVERED, or VERIFIED, which is imported as delivered, for somebody here to verify.",
        "DELIVERED, o VERIFIED, que se importa como entregada, para que alguien la verifique aquí.",
    ),
];

/// What an export of deliveries says besides.
const OF_DELIVERIES: &[Header] = &[
    optional(
        "organization",
        "#org+impl+code",
        "Slug of the organisation.",
        "Nombre corto de la organización.",
    ),
    optional("recorded_at", "#date+reported", "When it was recorded.", "Cuándo se registró."),
    optional("void_reason", "#status+void+reason", "Why it is void.", "Por qué está anulada."),
    optional("class", "#meta+class", "Who may see it.", "Quién puede verla."),
    optional("version", "#meta+version", "How often it was changed.", "Cuántas veces se cambió."),
    optional(
        "void_note",
        "#meta+comment+void",
        "More about why it is void.",
        "Más sobre por qué está anulada.",
    ),
];

const FACILITIES: &[Header] = &[
    required("slug", "#loc+facility+code", SLUG.0, SLUG.1),
    required("name", "#loc+facility+name", "Official or usual name.", "Nombre oficial o usual."),
    optional(
        "aliases",
        "#loc+facility+name+alt",
        "Other names, separated by |.",
        "Otros nombres, separados por |.",
    ),
    optional(
        "country",
        "#country+code+v_iso2",
        "ISO 3166-1 code of two letters; follows from the region.",
        "Código ISO 3166-1 de dos letras; se sigue de la región.",
    ),
    required(
        "region",
        "#adm1+code",
        "ISO 3166-2 code or COD P-code, such as MX-MEX or MX15.",
        "Código ISO 3166-2 o P-code, como MX-MEX o MX15.",
    ),
    optional(
        "municipality",
        "#adm2+name",
        "Name of the municipality or commune.",
        "Nombre del municipio o la comuna.",
    ),
    required(
        "kind",
        "#loc+type",
        "WOMEN_PRISON, MIXED_PRISON, WORK_CENTRE or OTHER.",
        "WOMEN_PRISON (femenino), MIXED_PRISON (mixto), WORK_CENTRE (educación y trabajo) u OTHER.",
    ),
];

const PROGRAMS: &[Header] = &[
    required("slug", "#activity+code", SLUG.0, SLUG.1),
    optional("name_es", "#activity+name+i_es", NAME_ES.0, NAME_ES.1),
    optional("name_en", "#activity+name+i_en", NAME_EN.0, NAME_EN.1),
    optional("original", "#meta+lang", ORIGINAL.0, ORIGINAL.1),
    optional(
        "description_es",
        "#description+i_es",
        "What the program does, in Spanish.",
        "Qué hace el programa, en español.",
    ),
    optional(
        "description_en",
        "#description+i_en",
        "What the program does, in English.",
        "Qué hace el programa, en inglés.",
    ),
    required(
        "areas",
        "#sector+code",
        "Areas separated by |, the main one first, such as BASIC_SUPPLIES.",
        "Áreas separadas por |, la principal primero, como BASIC_SUPPLIES.",
    ),
    optional(
        "techniques",
        "#activity+technique",
        "Codes of techniques, separated by |.",
        "Códigos de técnicas, separados por |.",
    ),
    optional(
        "status",
        "#status",
        "PLANNED, ACTIVE, COMPLETED or CANCELLED; ACTIVE if empty.",
        "PLANNED, ACTIVE, COMPLETED o CANCELLED; ACTIVE si está vacío.",
    ),
    required("starts_on", "#date+start", "First day.", "Primer día."),
    optional("ends_on", "#date+end", "Last day, included.", "Último día, incluido."),
    optional(
        "facilities",
        "#loc+facility+code",
        "Slugs of its sites, separated by |.",
        "Nombres cortos de sus sedes, separados por |.",
    ),
];

const ITEMS: &[Header] = &[
    required(
        "code",
        "#item+code",
        "Short code: letters, digits, hyphens and underscores.",
        "Código corto: letras, dígitos, guiones y guiones bajos.",
    ),
    optional("name_es", "#item+name+i_es", NAME_ES.0, NAME_ES.1),
    optional("name_en", "#item+name+i_en", NAME_EN.0, NAME_EN.1),
    optional("original", "#meta+lang", ORIGINAL.0, ORIGINAL.1),
    required(
        "unit",
        "#item+unit",
        "What one of it is, such as piece or pack.",
        "Qué es una unidad, como pieza o paquete.",
    ),
    required(
        "sensitivity",
        "#item+sensitivity",
        "GENERAL, or SENSITIVE for maternity, infants, contraception, tests, medication and the like.",
        "GENERAL, o SENSITIVE para maternidad, lactantes, anticoncepción, pruebas, medicamentos y similares.",
    ),
];

const KITS: &[Header] = &[
    required(
        "code",
        "#item+kit+code",
        "Short code of the kit; one row for each item of a version.",
        "Código corto del kit; una fila por cada artículo de una versión.",
    ),
    required(
        "version",
        "#item+kit+version",
        "Number of the version, from 1.",
        "Número de la versión, desde 1.",
    ),
    required("valid_from", "#date+start", "First day of the version.", "Primer día de la versión."),
    optional("name_es", "#item+kit+name+i_es", NAME_ES.0, NAME_ES.1),
    optional("name_en", "#item+kit+name+i_en", NAME_EN.0, NAME_EN.1),
    optional("original", "#meta+lang", ORIGINAL.0, ORIGINAL.1),
    required("item", "#item+code", "Code of an item in the kit.", "Código de un artículo del kit."),
    required(
        "quantity",
        "#item+num",
        "How many of the item one kit holds.",
        "Cuántos del artículo contiene un kit.",
    ),
];

const FORM_NUMBER: Header = required(
    "form_number",
    "#meta+form+id",
    "Number of the paper form; rows with the same number are its lines.",
    "Número del formulario en papel; las filas con el mismo número son sus renglones.",
);
const PLACE: Header = required(
    "place",
    "#loc+place+name",
    "Name of the place of stock, or slug of the facility whose store it is.",
    "Nombre del lugar de existencias, o nombre corto del centro cuyo depósito es.",
);
const WHEN: Header = required("occurred_on", "#date+occurred", "Day in the field.", "Día en terreno.");
const ITEM: Header = optional(
    "item",
    "#item+code",
    "Code of the item; either this or the kit.",
    "Código del artículo; este o el kit.",
);
const KIT: Header = optional(
    "kit",
    "#item+kit+code",
    "Code of the kit; either this or the item.",
    "Código del kit; este o el artículo.",
);

const RECEIPTS: &[Header] = &[
    FORM_NUMBER,
    PLACE,
    WHEN,
    required("source", "#item+source", "DONATION or PURCHASE.", "DONATION (donación) o PURCHASE (compra)."),
    optional(
        "donor",
        "#org+donor+code",
        "Slug of the organisation that gave it; donations only.",
        "Nombre corto de la organización que lo donó; solo donaciones.",
    ),
    ITEM,
    KIT,
    optional(
        "kit_version",
        "#item+kit+version",
        "Version of the kit; the one valid on the day if empty.",
        "Versión del kit; si está vacía, la que regía ese día.",
    ),
    required("quantity", "#output+num", "How many came in.", "Cuántos ingresaron."),
    optional(
        "lot_number",
        "#item+lot+code",
        "Number of the lot as printed on the goods.",
        "Número de lote impreso en el producto.",
    ),
    optional("expires_on", "#date+expiry", "Last day of use.", "Último día de uso."),
];

const MOVEMENTS: &[Header] = &[
    FORM_NUMBER,
    required(
        "kind",
        "#activity+type",
        "TRANSFER, ARRIVAL (of a transfer), ISSUE, LOSS or ADJUSTMENT.",
        "TRANSFER (traslado), ARRIVAL (llegada de un traslado), ISSUE (salida), LOSS (pérdida) o ADJUSTMENT \
         (ajuste).",
    ),
    WHEN,
    PLACE,
    optional(
        "to_place",
        "#loc+place+to+name",
        "Where a transfer is going; transfers only.",
        "A dónde va un traslado; solo traslados.",
    ),
    optional(
        "via",
        "#loc+place+via+name",
        "Place in transit of a transfer; the only one if empty.",
        "Lugar de tránsito de un traslado; si está vacío, el único.",
    ),
    optional(
        "transfer",
        "#meta+form+transfer+id",
        "Form number of the transfer; arrivals only.",
        "Número de formulario del traslado; solo llegadas.",
    ),
    optional(
        "reason",
        "#status+reason",
        "Why, for losses and adjustments, such as EXPIRED, DAMAGED or ENTRY_ERROR.",
        "Por qué, en pérdidas y ajustes, como EXPIRED, DAMAGED o ENTRY_ERROR.",
    ),
    optional("note", "#meta+comment", "More about it.", "Más sobre el movimiento."),
    ITEM,
    KIT,
    optional(
        "kit_version",
        "#item+kit+version",
        "Version of the kit; any if empty.",
        "Versión del kit; si está vacía, cualquiera.",
    ),
    optional(
        "lot_number",
        "#item+lot+code",
        "Lot to take from; those that expire first if empty.",
        "Lote del que se toma; si está vacío, los que vencen primero.",
    ),
    required(
        "quantity",
        "#output+num",
        "How many; below zero where an adjustment takes away. Of an arrival, how many were received, or 0.",
        "Cuántos; bajo cero donde un ajuste resta. De una llegada, cuántos se recibieron, o 0.",
    ),
    optional(
        "returned",
        "#output+num+returned",
        "How many went back to where they came from; arrivals only.",
        "Cuántos volvieron a su origen; solo llegadas.",
    ),
    optional(
        "lost",
        "#output+num+lost",
        "How many were lost on the way, with the reason; arrivals only.",
        "Cuántos se perdieron en el camino, con el motivo; solo llegadas.",
    ),
];

/// The columns of files of a kind, in the order in which documents list them.
pub fn headers(kind: Kind) -> &'static [Header] {
    match kind {
        Kind::Distributions => DISTRIBUTIONS,
        Kind::Facilities => FACILITIES,
        Kind::Programs => PROGRAMS,
        Kind::Items => ITEMS,
        Kind::Kits => KITS,
        Kind::Receipts => RECEIPTS,
        Kind::Movements => MOVEMENTS,
    }
}

/// Columns that an export writes and an import passes over: they tell, and change nothing.
pub fn passed_over(kind: Kind) -> &'static [Header] {
    match kind {
        Kind::Distributions => OF_DELIVERIES,
        _ => &[],
    }
}

/// What marks the row of an example in a template, which no import reads.
pub(super) const EXAMPLE: &str = "#ejemplo ";

/// A row as it could be, in the order of the columns.
pub fn example(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Distributions => &[
            "acta-2026-001",
            "cpf-talca",
            "kits-de-higiene",
            "2026-03-08",
            "60",
            "COUNTED",
            "",
            "hygiene-kit",
            "1",
            "60",
            "60",
            "DELIVERED",
        ],
        Kind::Facilities => {
            &["cpf-talca", "CPF Talca", "Cárcel de mujeres de Talca", "CL", "CL-ML", "Talca", "WOMEN_PRISON"]
        }
        Kind::Programs => &[
            "kits-de-higiene",
            "Kits de higiene",
            "Hygiene kits",
            "es",
            "Artículos de higiene cada trimestre.",
            "",
            "BASIC_SUPPLIES",
            "",
            "ACTIVE",
            "2026-01-01",
            "",
            "cpf-talca",
        ],
        Kind::Items => &["soap", "Jabón", "Soap", "es", "piece", "GENERAL"],
        Kind::Kits => &["hygiene-kit", "1", "2026-01-01", "Kit de higiene", "Hygiene kit", "es", "soap", "2"],
        Kind::Receipts => &[
            "E-2026-001",
            "Bodega",
            "2026-03-01",
            "DONATION",
            "",
            "soap",
            "",
            "",
            "100",
            "L-25-118",
            "2027-12-31",
        ],
        Kind::Movements => &[
            "M-2026-001",
            "TRANSFER",
            "2026-03-03",
            "Bodega",
            "cpf-talca",
            "",
            "",
            "",
            "",
            "soap",
            "",
            "",
            "",
            "60",
            "",
            "",
        ],
    }
}

/// The rows of a file to fill in: the names of the columns, their HXL tags, and an example that no import reads.
pub fn template_rows(kind: Kind) -> [Vec<String>; 3] {
    let of = |cell: fn(&Header) -> &'static str| {
        headers(kind).iter().map(|header| cell(header).to_owned()).collect()
    };
    let mut row: Vec<String> = example(kind).iter().map(|cell| (*cell).to_owned()).collect();
    if let Some(first) = row.first_mut() {
        first.insert_str(0, EXAMPLE);
    }
    [of(|header| header.name), of(|header| header.hxl), row]
}

/// The same as CSV. No cell of it needs quotes.
pub fn template(kind: Kind) -> String {
    template_rows(kind).iter().map(|row| row.join(",") + "\n").collect()
}
