"""The ground floor: what every table looks like. Does no I/O."""

from data_contracts.alignment import (
    ALIGNMENTS,
    COST_MATRICES,
    EDGE_STATISTICS,
    EMBEDDINGS,
    POSTERIORS,
    SEGMENT_PAIRS,
    TRAINING_LOG,
    TRANSPORT_PLANS,
)
from data_contracts.contract import Contract, ContractError, Rule, column
from data_contracts.corpus import ANNOTATION_LINES, CORPUS_FILES, DOCUMENTS, MENTIONS, REJECTS, UNITS, WARNINGS
from data_contracts.evaluation import DOCUMENT_SCORES, SCORES
from data_contracts.projection import CANDIDATES, CARRIED_LINES, CORPUS_EDGES, MEMORY, PROJECTIONS

CONTRACTS = (
    CORPUS_FILES,
    DOCUMENTS,
    MENTIONS,
    ANNOTATION_LINES,
    REJECTS,
    WARNINGS,
    UNITS,
    SEGMENT_PAIRS,
    EMBEDDINGS,
    COST_MATRICES,
    POSTERIORS,
    TRANSPORT_PLANS,
    TRAINING_LOG,
    ALIGNMENTS,
    EDGE_STATISTICS,
    CANDIDATES,
    CORPUS_EDGES,
    MEMORY,
    PROJECTIONS,
    CARRIED_LINES,
    SCORES,
    DOCUMENT_SCORES,
)

__all__ = [
    "ALIGNMENTS",
    "ANNOTATION_LINES",
    "CANDIDATES",
    "CARRIED_LINES",
    "CONTRACTS",
    "CORPUS_EDGES",
    "CORPUS_FILES",
    "COST_MATRICES",
    "DOCUMENTS",
    "DOCUMENT_SCORES",
    "EDGE_STATISTICS",
    "EMBEDDINGS",
    "MEMORY",
    "MENTIONS",
    "POSTERIORS",
    "PROJECTIONS",
    "REJECTS",
    "SCORES",
    "SEGMENT_PAIRS",
    "TRAINING_LOG",
    "TRANSPORT_PLANS",
    "UNITS",
    "WARNINGS",
    "Contract",
    "ContractError",
    "Rule",
    "column",
]
