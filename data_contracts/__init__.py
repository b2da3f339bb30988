"""The ground floor: what every table looks like. Does no I/O."""

from data_contracts.alignment import ALIGNMENTS, COST_MATRICES, EDGE_STATISTICS, EMBEDDINGS, TRAINING_LOG, TRANSPORT_PLANS
from data_contracts.contract import Contract, ContractError, Rule, column
from data_contracts.corpus import ANNOTATION_LINES, CORPUS_FILES, DOCUMENTS, MENTIONS, REJECTS, UNITS, WARNINGS
from data_contracts.evaluation import DOCUMENT_SCORES, SCORES
from data_contracts.projection import CARRIED_LINES, PROJECTIONS

CONTRACTS = (
    CORPUS_FILES,
    DOCUMENTS,
    MENTIONS,
    ANNOTATION_LINES,
    REJECTS,
    WARNINGS,
    UNITS,
    EMBEDDINGS,
    COST_MATRICES,
    TRANSPORT_PLANS,
    TRAINING_LOG,
    ALIGNMENTS,
    EDGE_STATISTICS,
    PROJECTIONS,
    CARRIED_LINES,
    SCORES,
    DOCUMENT_SCORES,
)

__all__ = [
    "ALIGNMENTS",
    "ANNOTATION_LINES",
    "CARRIED_LINES",
    "CONTRACTS",
    "CORPUS_FILES",
    "COST_MATRICES",
    "DOCUMENTS",
    "DOCUMENT_SCORES",
    "EDGE_STATISTICS",
    "EMBEDDINGS",
    "MENTIONS",
    "PROJECTIONS",
    "REJECTS",
    "SCORES",
    "TRAINING_LOG",
    "TRANSPORT_PLANS",
    "UNITS",
    "WARNINGS",
    "Contract",
    "ContractError",
    "Rule",
    "column",
]
