"""Haystack: sentence-transformers embedders and the in-memory store, saved to disk."""

from protocol import main, model_folder


class Haystack:
    def load(self):
        from haystack import Document
        from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        try:
            from haystack.components.embedders import SentenceTransformersDocumentEmbedder as ForDocuments
            from haystack.components.embedders import SentenceTransformersTextEmbedder as ForText
        except ImportError:
            from haystack_integrations.components.embedders.sentence_transformers import (
                SentenceTransformersDocumentEmbedder as ForDocuments,
            )
            from haystack_integrations.components.embedders.sentence_transformers import (
                SentenceTransformersTextEmbedder as ForText,
            )

        self.document, self.retriever_class, self.store_class = (
            Document,
            InMemoryEmbeddingRetriever,
            InMemoryDocumentStore,
        )
        options = {"model": model_folder(), "normalize_embeddings": True, "progress_bar": False}
        self.documents, self.text = ForDocuments(**options), ForText(**options)
        for embedder in (self.documents, self.text):
            getattr(embedder, "warm_up", lambda: None)()

    def build(self, texts, folder):
        documents = [self.document(id=str(place), content=text) for place, text in enumerate(texts)]
        store = self.store_class(embedding_similarity_function="dot_product")
        store.write_documents(self.documents.run(documents=documents)["documents"])
        store.save_to_disk(f"{folder}/store.json")

    def open(self, folder):
        self.retriever = self.retriever_class(self.store_class.load_from_disk(f"{folder}/store.json"))

    def search(self, question, k):
        vector = self.text.run(text=question)["embedding"]
        return [int(item.id) for item in self.retriever.run(query_embedding=vector, top_k=k)["documents"]]


if __name__ == "__main__":
    main(Haystack())
