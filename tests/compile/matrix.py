"""The pipelines that are compiled and compared: transformers × estimators × tasks. Name → (task, unfitted model)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import dummy, ensemble, linear_model, svm, tree
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.feature_selection import SelectFromModel, SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from tests.compile.pipelines import boosted, boosted_regressor, codes, filled_texts, native, nested_and, only, usual
from tests.compile.tables import (
    CATEGORIES,
    FILLED,
    FLAGS,
    FLOATS,
    GAPPED,
    NUMBERS,
    POSITIVE,
    TEXTS,
    WHOLE,
    table,
    target,
)

MATRIX: dict[str, tuple[str, Callable[[], Any]]] = {
    # histogram gradient boosting
    "usual, boosting": ("binary", lambda: usual(boosted(), numbers="passthrough")),
    "native codes, boosting": ("yes_no", lambda: native(boosted())),
    "native codes, boosting of three": ("three", lambda: native(boosted())),
    "native codes, boosting regressor": ("regression", lambda: native(boosted_regressor())),
    "boosting on the table itself": (
        "binary",
        lambda: only("passthrough", CATEGORIES + NUMBERS, boosted(categorical_features=[0, 1, 2])),
    ),
    "boosting alone": ("binary", lambda: boosted(categorical_features=CATEGORIES)),
    "boosting poisson": ("counts", lambda: native(boosted_regressor(loss="poisson"))),
    "boosting gamma": ("counts", lambda: native(boosted_regressor(loss="gamma"))),
    "boosting quantile": ("regression", lambda: native(boosted_regressor(loss="quantile", quantile=0.8))),
    "boosting absolute error": ("regression", lambda: native(boosted_regressor(loss="absolute_error"))),
    "one-hot of numbers, boosting": (
        "three",
        lambda: only(
            OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=30, sparse_output=False),
            WHOLE + GAPPED + FLAGS,
            boosted(),
        ),
    ),
    # gradient boosting
    "gradient boosting": ("binary", lambda: usual(ensemble.GradientBoostingClassifier(n_estimators=25))),
    "gradient boosting, exponential": (
        "yes_no",
        lambda: usual(ensemble.GradientBoostingClassifier(n_estimators=25, loss="exponential")),
    ),
    "gradient boosting of three": ("three", lambda: usual(ensemble.GradientBoostingClassifier(n_estimators=15))),
    "gradient boosting regressor": (
        "regression",
        lambda: usual(ensemble.GradientBoostingRegressor(n_estimators=25, loss="huber", init="zero")),
    ),
    # trees and forests
    "tree with gaps": ("three", lambda: usual(tree.DecisionTreeClassifier(max_depth=7), numbers="passthrough")),
    "tree regressor": ("regression", lambda: usual(tree.DecisionTreeRegressor(max_leaf_nodes=40))),
    "forest with gaps": (
        "binary",
        lambda: usual(ensemble.RandomForestClassifier(20, random_state=0), numbers="passthrough"),
    ),
    "forest of three, sparse": (
        "three",
        lambda: only(OneHotEncoder(handle_unknown="ignore"), CATEGORIES, ensemble.RandomForestClassifier(15)),
    ),
    "forest regressor, target codes": (
        "regression",
        lambda: usual(ensemble.RandomForestRegressor(20), TargetEncoder(target_type="continuous")),
    ),
    "extra trees": ("binary", lambda: usual(ensemble.ExtraTreesClassifier(20), TargetEncoder())),
    "extra trees regressor": ("regression", lambda: usual(ensemble.ExtraTreesRegressor(20))),
    # the linear family
    "usual, logistic": ("binary", lambda: usual(linear_model.LogisticRegression(max_iter=300))),
    "usual, logistic of three": ("three", lambda: usual(linear_model.LogisticRegression(max_iter=300))),
    "sparse one-hot, logistic": (
        "yes_no",
        lambda: only(
            OneHotEncoder(handle_unknown="ignore", drop="first"), CATEGORIES, linear_model.LogisticRegression()
        ),
    ),
    "target codes of three, logistic": (
        "three",
        lambda: usual(linear_model.LogisticRegression(max_iter=300), TargetEncoder()),
    ),
    "strict one-hot, ridge": ("regression", lambda: only(OneHotEncoder(), TEXTS + WHOLE[:1], linear_model.Ridge())),
    "dropped categories": (
        "regression",
        lambda: only(
            OneHotEncoder(drop=["JFK"], handle_unknown="warn", max_categories=4), ["port"], linear_model.Ridge()
        ),
    ),
    "codes of the missing and the unknown": (
        "regression",
        lambda: only(
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-2, encoded_missing_value=-1, dtype=int),
            CATEGORIES,
            linear_model.Ridge(),
        ),
    ),
    "empty texts filled": (
        "regression",
        lambda: only(
            make_pipeline(
                SimpleImputer(missing_values="", strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
            ),
            ["port"],
            linear_model.Ridge(),
        ),
    ),
    "polynomials, elastic net": (
        "regression",
        lambda: only(
            make_pipeline(StandardScaler(), PolynomialFeatures(3)),
            FLOATS + POSITIVE,
            linear_model.ElasticNet(alpha=0.1),
        ),
    ),
    "sparse polynomials, lasso": (
        "regression",
        lambda: only(
            make_pipeline(OneHotEncoder(handle_unknown="ignore"), PolynomialFeatures(2, interaction_only=True)),
            TEXTS,
            linear_model.Lasso(alpha=0.01),
        ),
    ),
    "bins, linear": (
        "regression",
        lambda: only(
            KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"), FILLED, linear_model.LinearRegression()
        ),
    ),
    "bins in order, huber": (
        "regression",
        lambda: only(
            make_pipeline(
                FunctionTransformer(np.log1p),
                KBinsDiscretizer(6, encode="ordinal", quantile_method="averaged_inverted_cdf"),
            ),
            POSITIVE,
            linear_model.HuberRegressor(),
        ),
    ),
    "dense bins, perceptron": (
        "three",
        lambda: only(KBinsDiscretizer(3, encode="onehot-dense", strategy="uniform"), FLOATS, linear_model.Perceptron()),
    ),
    "functions, poisson": (
        "counts",
        lambda: make_pipeline(
            make_column_transformer(
                (FunctionTransformer(np.log1p), POSITIVE),
                (make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(np.sqrt), MaxAbsScaler()), FLOATS),
                (RobustScaler(), WHOLE),
            ),
            linear_model.PoissonRegressor(),
        ),
    ),
    "squares, tweedie": (
        "counts",
        lambda: only(
            make_pipeline(FunctionTransformer(np.square), StandardScaler()),
            WHOLE,
            linear_model.TweedieRegressor(power=1.5),
        ),
    ),
    "gamma": ("counts", lambda: usual(linear_model.GammaRegressor())),
    "nested columns, ridge classifier": ("three", lambda: nested_and(linear_model.RidgeClassifier())),
    "filled texts, sgd": ("three", lambda: only(filled_texts(), TEXTS, linear_model.SGDClassifier(loss="log_loss"))),
    "sgd modified huber": ("yes_no", lambda: usual(linear_model.SGDClassifier(loss="modified_huber", random_state=0))),
    "sgd modified huber of three": (
        "three",
        lambda: usual(linear_model.SGDClassifier(loss="modified_huber", random_state=0)),
    ),
    "sgd regressor": ("regression", lambda: usual(linear_model.SGDRegressor(random_state=0))),
    "linear svc": ("yes_no", lambda: usual(svm.LinearSVC())),
    "linear svr": ("regression", lambda: usual(svm.LinearSVR())),
    # selection and union
    "k best, logistic": (
        "binary",
        lambda: make_pipeline(usual(SelectKBest(k=8)), linear_model.LogisticRegression(max_iter=300)),
    ),
    "from model, tree": (
        "binary",
        lambda: make_pipeline(
            usual(SelectFromModel(linear_model.LogisticRegression(max_iter=300))),
            tree.DecisionTreeClassifier(max_depth=6),
        ),
    ),
    "variance, forest": (
        "binary",
        lambda: make_pipeline(usual(VarianceThreshold(0.1)), ensemble.RandomForestClassifier(10)),
    ),
    "union with weights": (
        "regression",
        lambda: only(
            FeatureUnion(
                [("all", SimpleImputer()), ("gaps", MissingIndicator(error_on_new=False)), ("none", "drop")],
                transformer_weights={"all": 0.5},
            ),
            GAPPED,
            linear_model.BayesianRidge(),
        ),
    ),
    "gaps that were none": (
        "regression",
        lambda: only(
            make_pipeline(FeatureUnion([("all", SimpleImputer()), ("gaps", MissingIndicator())])),
            NUMBERS,
            boosted_regressor(),
        ),
    ),
    "most frequent, minus one": (
        "regression",
        lambda: make_pipeline(
            make_column_transformer(
                (SimpleImputer(strategy="most_frequent"), GAPPED + WHOLE),
                (SimpleImputer(strategy="constant", fill_value=-1, missing_values=0), ["count"]),
                (make_pipeline(SimpleImputer(strategy="most_frequent"), codes(), SimpleImputer()), CATEGORIES),
            ),
            tree.ExtraTreeRegressor(max_depth=6),
        ),
    ),
    "as frames": (
        "binary",
        lambda: usual(
            linear_model.LogisticRegression(max_iter=300), numbers=SimpleImputer(add_indicator=True)
        ).set_output(transform="pandas"),
    ),
    # wrappers
    "threshold": (
        "yes_no",
        lambda: FixedThresholdClassifier(
            native(boosted()), threshold=0.3, pos_label="yes", response_method="predict_proba"
        ),
    ),
    "threshold of the first class, by score": (
        "yes_no",
        lambda: FixedThresholdClassifier(
            usual(linear_model.LogisticRegression()), threshold=0.2, pos_label="no", response_method="decision_function"
        ),
    ),
    "tuned threshold": ("binary", lambda: TunedThresholdClassifierCV(usual(linear_model.LogisticRegression()), cv=3)),
    "sigmoid calibration": ("binary", lambda: CalibratedClassifierCV(usual(svm.LinearSVC()), cv=3)),
    "isotonic calibration of three": (
        "three",
        lambda: CalibratedClassifierCV(native(boosted()), method="isotonic", cv=3),
    ),
    "one isotonic calibration": (
        "yes_no",
        lambda: usual(
            CalibratedClassifierCV(ensemble.RandomForestClassifier(10), method="isotonic", cv=3, ensemble=False)
        ),
    ),
    "calibration of what was fitted": (
        "binary",
        lambda: CalibratedClassifierCV(
            FrozenEstimator(usual(tree.DecisionTreeClassifier()).fit(table(), target("binary")))
        ),
    ),
    "transformed target": (
        "counts",
        lambda: TransformedTargetRegressor(usual(linear_model.Ridge()), func=np.log, inverse_func=np.exp),
    ),
    "searched": ("regression", lambda: GridSearchCV(usual(linear_model.Ridge()), {"ridge__alpha": [1.0, 10.0]}, cv=2)),
    "votes of three kinds": (
        "yes_no",
        lambda: ensemble.VotingClassifier(
            [
                ("boosting", native(boosted())),
                ("logistic", usual(linear_model.LogisticRegression(max_iter=300))),
                ("forest", usual(ensemble.ExtraTreesClassifier(10))),
            ],
            voting="soft",
            weights=[0.5, 0.125, 0.375],
        ),
    ),
    "votes for three classes": (
        "three",
        lambda: ensemble.VotingClassifier(
            [("a", native(boosted())), ("b", native(boosted(max_iter=3)))], voting="soft"
        ),
    ),
    "mean of regressors": (
        "regression",
        lambda: ensemble.VotingRegressor(
            [("boosting", native(boosted_regressor())), ("ridge", usual(linear_model.Ridge()))], weights=[0.3, 0.7]
        ),
    ),
    "dummy": ("three", lambda: usual(dummy.DummyClassifier(strategy="prior"))),
    "dummy regressor": ("regression", lambda: usual(dummy.DummyRegressor(strategy="median"))),
}
