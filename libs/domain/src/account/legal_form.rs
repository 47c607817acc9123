//! Legal forms of companies, which say how a company is owned and not which one it is.

/// Forms that stand at the end, written without blanks, dots and diacritics: `S. à r.l.`, `Sàrl` and `S.A.R.L.` are all
/// `sarl`. Sorted. Some are also words or initials (`spa`, `as`); a name is only ever a hint, so that may cost a look by a
/// person and never decides.
const AT_THE_END: &[&str] = &[
    "ab",
    "abp",
    "ad",
    "ae",
    "ag",
    "agandcokg",
    "agandcokgaa",
    "aktiebolag",
    "aktiengesellschaft",
    "aktieselskab",
    "anonimsirketi",
    "anpartsselskab",
    "ans",
    "ao",
    "aps",
    "as",
    "asa",
    "asbl",
    "asi",
    "ay",
    "berhad",
    "bhd",
    "bt",
    "bv",
    "bvba",
    "ca",
    "co",
    "cokg",
    "cokgaa",
    "coltd",
    "commv",
    "company",
    "coop",
    "corp",
    "corporation",
    "cv",
    "cvba",
    "dd",
    "dno",
    "doo",
    "dooel",
    "ead",
    "eg",
    "ehf",
    "eireli",
    "eirl",
    "ek",
    "ekfm",
    "ekfr",
    "eood",
    "epe",
    "esv",
    "etabl",
    "eurl",
    "ev",
    "fzc",
    "fzco",
    "fze",
    "fzllc",
    "gbr",
    "gesellschaftmitbeschrankterhaftung",
    "gesmbh",
    "gie",
    "gmbh",
    "gmbhandco",
    "gmbhandcokg",
    "gmbhandcokgaa",
    "gmbhandcoohg",
    "handelsbolag",
    "hb",
    "hf",
    "inc",
    "incorporated",
    "jdoo",
    "jsc",
    "kabushikikaisha",
    "kb",
    "kd",
    "kda",
    "kft",
    "kg",
    "kgaa",
    "kht",
    "kk",
    "kommanditgesellschaft",
    "ks",
    "kt",
    "ky",
    "lda",
    "limitada",
    "limited",
    "limitedliabilitycompany",
    "limitedpartnership",
    "limitedsirketi",
    "llc",
    "lllp",
    "llp",
    "lp",
    "ltd",
    "ltda",
    "ltdsti",
    "mbh",
    "mchj",
    "nv",
    "nyrt",
    "oao",
    "od",
    "oe",
    "offenehandelsgesellschaft",
    "og",
    "ohg",
    "ojsc",
    "ood",
    "ooo",
    "osakeyhtio",
    "ou",
    "oy",
    "oyj",
    "pao",
    "pjsc",
    "plc",
    "pllc",
    "privatelimited",
    "psc",
    "pt",
    "pte",
    "pty",
    "publiclimitedcompany",
    "pvt",
    "qsc",
    "rt",
    "sa",
    "sab",
    "sabdecv",
    "saci",
    "sadecv",
    "sae",
    "sal",
    "saoc",
    "saog",
    "sapa",
    "sapi",
    "sapidecv",
    "sarl",
    "sarlau",
    "sas",
    "sasu",
    "sc",
    "sca",
    "scarl",
    "scop",
    "scrl",
    "scs",
    "sderldecv",
    "sdnbhd",
    "se",
    "sendirianberhad",
    "shpk",
    "sia",
    "sicav",
    "sirketi",
    "sl",
    "slne",
    "slp",
    "slu",
    "snc",
    "sociedadanonima",
    "sociedadlimitada",
    "societaperazioni",
    "societeanonyme",
    "societearesponsabilitelimitee",
    "spa",
    "spj",
    "spk",
    "spolkaakcyjna",
    "spolkazograniczonaodpowiedzialnoscia",
    "spolkazoo",
    "spolsro",
    "spri",
    "sprl",
    "spzoo",
    "srl",
    "srls",
    "sro",
    "tbk",
    "ticaretlimitedsirketi",
    "uab",
    "ug",
    "ughaftungsbeschrankt",
    "ultd",
    "unlimited",
    "vof",
    "vos",
    "vzw",
    "yk",
    "yugenkaisha",
    "zao",
    "zrt",
    "αε",
    "ανωνυμηεταιρεια",
    "επε",
    "ιδιωτικηκεφαλαιουχικηεταιρεια",
    "ад",
    "ао",
    "еоод",
    "зао",
    "оао",
    "оод",
    "ооо",
    "пао",
    "тоо",
];

/// Forms that stand at the beginning: Russian, Indonesian, Baltic and Romanian ones. Sorted.
const AT_THE_BEGINNING: &[&str] = &[
    "ao", "as", "cv", "firma", "jsc", "oao", "ojsc", "ooo", "ou", "pao", "pjsc", "pt", "sc", "sia", "uab", "zao", "ао",
    "зао", "ип", "оао", "ооо", "пао", "тов", "тоо",
];

/// Forms of scripts that are written without blanks; they stand at either end, in short also in brackets. Longest first.
const UNSPACED: &[&str] = &[
    "股份有限公司",
    "有限责任公司",
    "有限責任公司",
    "株式会社",
    "有限会社",
    "合同会社",
    "有限公司",
    "주식회사",
    "유한회사",
];

/// How many words the longest form is written with.
const MOST_WORDS: usize = 6;

/// Takes legal forms off both ends of a name's words. What is nothing else stays as it is.
pub(super) fn strip(words: &mut Vec<String>) {
    while let Some(form) = (1..=MOST_WORDS.min(words.len().saturating_sub(1))).rev().find(|count| {
        let form = words[words.len() - count..].concat();
        // What is left of `& Co.` is no part of the name either.
        AT_THE_END.binary_search(&form.as_str()).is_ok() || form == "and"
    }) {
        words.truncate(words.len() - form);
    }
    while words.len() > 1 && AT_THE_BEGINNING.binary_search(&words[0].as_str()).is_ok() {
        words.remove(0);
    }
    for (first, form) in UNSPACED.iter().flat_map(|form| [(true, form), (false, form)]) {
        let word = if first { words.first_mut() } else { words.last_mut() };
        let Some(word) = word else { return };
        let rest = if first { word.strip_prefix(form) } else { word.strip_suffix(form) };
        match rest.map(str::to_owned) {
            Some(rest) if !rest.is_empty() => *word = rest,
            // The form is a word of its own.
            Some(_) if words.len() > 1 => drop(words.remove(if first { 0 } else { words.len() - 1 })),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_can_be_searched() {
        for list in [AT_THE_END, AT_THE_BEGINNING] {
            assert!(list.is_sorted());
            assert!(list.iter().all(|form| form.chars().all(|c| c.is_alphabetic() && !c.is_uppercase())));
        }
        assert!(UNSPACED.is_sorted_by_key(|form| std::cmp::Reverse(form.chars().count())));
    }
}
