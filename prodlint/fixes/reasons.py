"""Why a fix cannot be made: the reasons that many fixes share. Each goes on after "no fix: "."""

ODD_FORM = "it is written in a form that the fix does not know"
NOT_UTF8 = "the file is not UTF-8"
NO_PLACE = "no statement can be added there"
NO_AWAIT = "`await` cannot stand there"
NO_LOGGER = "there is no logger in reach"
